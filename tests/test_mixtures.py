"""Songs without stems: found, separated, scored without references, and shown without a ranking."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import benchbench
from benchbench.api.plan import plan_run
from benchbench.cli import app
from benchbench.datasets.dataset import open_dataset
from benchbench.errors import NothingToCompareError, UsageError
from benchbench.plugins.catalog import Catalog
from benchbench.running.events import Note
from tests.conftest import RATE, tones

LOUD = """
name = "loud"
version = 1
summary = "The level of an estimate."
good_for = "Tests."
misleads = "Always."
source = "A test."
reference = false
[licence]
code = "MIT"
[metrics.level]
unit = "dB"
"""
LOUD_CODE = """
import numpy as np

def measure(estimate, sample_rate):
    return 10 * np.log10(float(np.mean(estimate.astype(np.float64) ** 2)) + 1e-12)
"""


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """Two songs as files, one as a folder with its mixture and a stem that is not used."""
    root = tmp_path / "songs"
    (root / "Third").mkdir(parents=True)
    for seed, path in enumerate(("first.wav", "second.flac", "Third/mixture.wav")):
        stems = tones(2.0, seed=seed)
        audio = np.sum(list(stems.values()), axis=0)
        soundfile.write(root / path, audio.T, RATE)
    soundfile.write(root / "Third" / "vocals.wav", stems["vocals"].T, RATE)
    (root / "notes.txt").write_text("not audio")
    return root


def test_every_file_is_a_song(songs: Path) -> None:
    data_set = open_dataset(Catalog().dataset("mixtures"), songs)
    assert [track.name for track in data_set.tracks] == ["first", "second", "Third"]
    assert not data_set.has_references
    assert all(not track.stems and track.mixture for track in data_set.tracks)


def test_a_run_scores_symptoms_and_says_what_needs_references(songs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "metrics" / "loud"
    folder.mkdir(parents=True)
    (folder / "metric.toml").write_text(LOUD)
    (folder / "metric.py").write_text(LOUD_CODE)
    notes: list[str] = []
    out = tmp_path / "results"
    result = benchbench.run(
        ["mid-side", "mixture"], "mixtures", root=songs, out=out,
        metrics=["usdr", str(folder)], keep_stems="yes", report=False,
        listener=lambda event: notes.append(event.text) if isinstance(event, Note) else None,
    )  # fmt: skip
    assert (result.tally.ok, result.tally.failed) == (6, 0)
    assert any(
        "no references, which usdr needs; scored by reference-free, loud" in n for n in notes
    )
    scores = result.results.scores_frame()
    assert set(scores["protocol"]) == {"reference-free", "loud"}
    assert set(scores["reference_set"]) == {"vocals+accompaniment"}
    values = scores.groupby(["model", "metric"], observed=True)["value"].mean()
    assert values["mixture:2stems", "consistency"] == pytest.approx(0.0, abs=1e-6)
    assert values["mid-side:2stems", "consistency"] > 100
    assert values["mixture:2stems", "correlation"] == pytest.approx(1.0)
    level = scores.query("metric == 'level' and model == 'mixture:2stems'")
    mixture, _ = soundfile.read(songs / "first.wav")
    wanted = 10 * np.log10(np.mean(mixture**2))
    assert level.loc[level["track"] == "first", "value"].tolist() == pytest.approx([wanted] * 2)
    agreed = scores.query("metric == 'agreement' and target == 'vocals' and track == 'first'")
    assert agreed["model"].tolist() == ["mixture:2stems"]  # nobody is compared with a baseline
    rows = result.results.separations_frame().query("track == 'first'").set_index("model")
    places = (
        result.results.stem_audio(rows.at[name, "separation_id"]) for name in sorted(rows.index)
    )
    b, a = (soundfile.read(place / "vocals.flac")[0].ravel() for place in places)
    fitted = (a @ b) / (b @ b) * b
    wanted = 10 * np.log10((fitted @ fitted) / ((a - fitted) @ (a - fitted)))
    assert agreed["value"].tolist() == pytest.approx([wanted], abs=1e-3)
    kept = {path.name for path in (out / "audio" / "tracks").rglob("*.flac")}
    assert kept == {"mixture.flac"}


def test_the_table_of_a_run_shows_the_symptoms(songs: Path, tmp_path: Path) -> None:
    command = ["run", "--models", "mid-side,mixture", "--dataset", "mixtures", "--root", str(songs),
               "--out", str(tmp_path / "r")]  # fmt: skip
    done = CliRunner().invoke(app, command, env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert re.search(r"consistency +agreement +correlation +clicks +silence +speed", done.output)
    assert "symptoms of faults, which rank no separator" in " ".join(done.output.split())
    assert max(map(len, done.output.splitlines())) <= 80 or "report.html" in done.output
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "No separator is ranked: no true stems of these songs exist." in page
    assert 'id="differences"' not in page
    assert re.search(r"mid-side.{0,400}separates .{0,30}best", page, re.DOTALL) is None
    again = CliRunner().invoke(app, command, env={"COLUMNS": "80"})
    assert "0 separations to do; 6 results stored already" in again.output


def test_an_oracle_is_refused(songs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"irm:2stems cannot be run on mixtures"):
        benchbench.run(["irm"], "mixtures", root=songs, out=tmp_path / "r", report=False)


def test_what_a_plan_counts(songs: Path, tmp_path: Path) -> None:
    made = plan_run(["mixture"], "mixtures", root=songs, out=tmp_path / "r")
    assert made.tracks == 3
    assert made.audio_s == pytest.approx(6.0, abs=0.01)


def test_a_doctor_reads_the_songs(songs: Path) -> None:
    (songs / "broken.wav").write_bytes(b"RIFF, and no more")
    checks = {check.name: check for check in benchbench.doctor("mixtures", root=songs)}
    assert not checks["broken"].ok
    assert checks["Third"].ok
    assert "4 tracks" in checks["summary"].detail


def test_a_broken_song_costs_its_own_rows(songs: Path, tmp_path: Path) -> None:
    (songs / "broken.wav").write_bytes(b"RIFF, and no more")
    result = benchbench.run(["mixture"], "mixtures", root=songs, out=tmp_path / "r", report=False)
    assert (result.tally.ok, result.tally.failed) == (3, 1)


def test_symptoms_beside_scores(small_songs: Path, tmp_path: Path) -> None:
    result = benchbench.run(
        ["irm:4stems", "mid-side"], "folder", root=small_songs, out=tmp_path / "r",
        metrics=["usdr", "reference-free"],
    )  # fmt: skip
    scores = result.results.scores_frame()
    found = scores[scores["protocol"] == "reference-free"]
    assert {"vocals+accompaniment", "vocals+drums+bass+other"} == set(found["reference_set"])
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "usdr SDR" in page.partition('id="leaderboard"')[2][:6000]
    assert 'id="differences"' in page


def test_songs_given_as_stems_are_explained(songs: Path, tmp_path: Path) -> None:
    shutil.rmtree(songs / "Third")  # which has the stem vocals
    command = ["run", "--models", "mixture", "--dataset", "folder", "--root", str(songs),
               "--metrics", "usdr", "--out", str(tmp_path / "r")]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, NothingToCompareError)
    assert "the tracks of folder have first, second" in done.exception.message
    assert "--dataset mixtures takes songs without stems" in str(done.exception.hint)


def test_it_is_listed_and_described() -> None:
    described = " ".join(CliRunner().invoke(app, ["show", "mixtures"]).output.split())
    assert "none: scored without references" in described
    assert "Symptoms of stems" in CliRunner().invoke(app, ["show", "reference-free"]).output
    assert "reference-free" in CliRunner().invoke(app, ["list", "metrics"]).output


def test_a_function_separates_songs_without_stems(songs: Path, tmp_path: Path) -> None:
    result = benchbench.run(
        "mid-side", "mixtures", root=songs, out=tmp_path / "r", report=False,
        functions={"half": lambda mixture, rate: {"vocals": mixture / 2, "accompaniment": mixture / 2}},
    )  # fmt: skip
    values = result.results.scores_frame().query("metric == 'consistency'")
    assert set(values["model"]) == {"half:2stems", "mid-side:2stems"}
