"""Data sets that are unlike MUSDB18: one stem, mono, other rates, speech; and odd tracks among good ones."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.api.verify import verify
from benchbench.datasets.dataset import open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.errors import AudioError, NothingToCompareError
from benchbench.metrics import evaluate
from benchbench.plugins.catalog import Catalog
from benchbench.running.events import Event, Note, Separated

RATE = 16000


def noise(seed: int, seconds: float = 1.5, channels: int = 2, rate: int = RATE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 0.1 * rng.standard_normal((channels, round(seconds * rate)))


def write(folder: Path, sounds: Mapping[str, np.ndarray], rate: int = RATE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, sound in sounds.items():
        place = os.fsencode(folder / f"{name}.wav")
        soundfile.write(place, sound.T, rate, subtype="PCM_24", format="WAV")
    return folder


class Listener:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Note)]

    @property
    def failures(self) -> dict[str, str]:
        return {
            event.track: str(event.error)
            for event in self.events
            if isinstance(event, Separated) and event.status != "ok"
        }


def run(root: Path, out: Path, models: object = ("mixture",), **options: object) -> tuple:
    listener = Listener()
    options = {"metrics": ["usdr"], "report": False} | options
    result = benchbench.run(models, "folder", root=root, out=out, listener=listener, **options)
    return result, listener


def sets(*stems: str, **facts: object) -> dict[str, object]:
    return {"stems": stems, "channels": 2, "rate": RATE, "mixture": True} | facts


@pytest.mark.parametrize(
    "facts",
    [
        sets("vocals"),
        sets("vocals", mixture=False),
        sets("vocals", "accompaniment", channels=1),
        sets("vocals", "drums", "bass", "other", rate=48000),
        sets("speaker1", "speaker2", channels=1, rate=8000),
        sets("speech", "noise", channels=1),
    ],
    ids=["one stem", "one stem without mixture", "mono", "48 kHz", "two speakers", "noisy speech"],
)
def test_folders_of_other_kinds_go_the_whole_way(
    facts: Mapping[str, object], tmp_path: Path, make_adapter: Callable[..., Path]
) -> None:
    """run, score, report and verify; the adapter halves the mixture for every stem."""
    stems = tuple(map(str, facts["stems"]))
    for song in ("a", "b"):
        sounds = {
            stem: noise(number, 1.5, facts["channels"], facts["rate"])
            for number, stem in enumerate(stems)
        }
        if facts["mixture"]:
            total = sum(sounds.values()) + (0.02 * noise(9, 1.5, facts["channels"], facts["rate"]))
            sounds["mixture"] = total
        write(tmp_path / "songs" / song, sounds, facts["rate"])
    place = make_adapter("halves", stems=stems)
    result, _ = run(
        tmp_path / "songs", tmp_path / "out", ["halves"], adapter_paths=[place], report=True,
        metrics=["usdr", "bsseval-v4"],
    )  # fmt: skip
    assert (result.tally.ok, result.tally.failed) == (2, 0)
    assert result.report is not None
    assert result.report.stat().st_size > 10_000
    rows = [row for row in result.results.scores().to_pylist() if row["metric"] == "SDR"]
    assert {row["target"] for row in rows} - {"accompaniment"} == set(stems) - {"accompaniment"}
    assert all(np.isfinite(row["value"]) for row in rows if row["protocol"] == "usdr")
    verified = verify(tmp_path / "out", root=tmp_path / "songs", adapter_paths=[place])
    assert verified
    assert all(one.passed for one in verified), verified
    estimates = benchbench.separate(
        "halves", [tmp_path / "songs" / "a" / f"{stems[0]}.wav"], tmp_path / "separated",
        adapter_paths=[place],
    )  # fmt: skip
    scores = benchbench.score(
        tmp_path / "songs" / "a", next(iter(estimates.values()))[stems[0]].parent, metrics=["usdr"]
    )
    own = {row["target"]: row["value"] for row in scores.to_pylist() if row["metric"] == "SDR"}
    assert own[stems[0]] == pytest.approx(20 * np.log10(2), abs=0.01)


def test_good_tracks_are_scored_among_bad_ones(tmp_path: Path) -> None:
    root = tmp_path / "songs"
    good = {"vocals": noise(1), "drums": noise(2)}
    for song in ("good", "text", "empty", "nan", "twice", "rates", "cut", "none"):
        write(root / song, good)
    (root / "text" / "drums.wav").write_text("no audio")
    (root / "empty" / "drums.wav").write_bytes(b"")
    broken = noise(2)
    broken[0, 5000] = np.nan
    soundfile.write(root / "nan" / "drums.wav", broken.T, RATE, subtype="FLOAT")
    write(root / "twice", {"Drums": noise(2)})
    soundfile.write(root / "rates" / "drums.wav", noise(2).T, 8000)
    whole = (root / "cut" / "drums.wav").read_bytes()
    (root / "cut" / "drums.wav").write_bytes(whole[:-9000])
    soundfile.write(root / "none" / "drums.wav", np.zeros((0, 2)), RATE)
    result, listener = run(root, tmp_path / "out")
    assert (result.tally.ok, result.tally.failed) == (1, 7)
    reasons = {
        "text": "drums.wav cannot be read as audio", "empty": "drums.wav is empty",
        "nan": "channel 0, sample 5000", "twice": "which is drums?", "rates": "drums 8000 Hz",
        "cut": "22500 samples (1.41 s) are there, 24000 (1.50 s) were promised",
        "none": "drums.wav holds no samples",
    }  # fmt: skip
    assert set(listener.failures) == set(reasons)
    for track, reason in reasons.items():
        assert reason in listener.failures[track]
    again, listener = run(root, tmp_path / "out", allow_truncated=True, retry_failed=True)
    assert (again.tally.ok, again.tally.failed) == (1, 6)
    assert any("Files were cut off" in note and "cut (drums)" in note for note in listener.notes)


def test_a_bad_file_of_a_name_that_is_no_text_costs_its_own_track(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    try:
        write(tmp_path / "songs" / name, {"vocals": noise(1), "drums": noise(2)})
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    write(tmp_path / "songs" / "good", {"vocals": noise(1), "drums": noise(2)})
    (tmp_path / "songs" / name / "drums.wav").write_text("no audio")
    result, _ = run(tmp_path / "songs", tmp_path / "out")
    assert (result.tally.ok, result.tally.failed) == (1, 1)
    rows = {row["track"]: row for row in result.results.separations().to_pylist()}
    assert "cannot be read as audio" in rows["caf\\xe9"]["error"]


def test_a_run_tells_what_does_not_add_up(tmp_path: Path) -> None:
    for song, level in (("fits", 0.0), ("off", 0.3)):
        sounds = {"vocals": noise(1), "drums": noise(2)}
        write(tmp_path / song, sounds | {"mixture": sum(sounds.values()) + level * noise(3)})
    _, listener = run(tmp_path, tmp_path / "out")
    (note,) = [note for note in listener.notes if "do not add up to the mixture" in note]
    assert "1 of 2 tracks: off (-13.7dB)" in note


def test_a_run_tells_what_is_a_sum(tmp_path: Path) -> None:
    sounds = {stem: noise(n) for n, stem in enumerate(("vocals", "drums", "bass", "other"))}
    rest = sum(sounds.values()) - sounds["vocals"]
    write(tmp_path / "songs" / "one", sounds | {"Instrumental": rest})
    result, listener = run(tmp_path / "songs", tmp_path / "out", "mixture:2stems")
    assert any("accompaniment is the sum of other stems (1 of 1" in n for n in listener.notes)
    assert any("the reference accompaniment = drums + bass + other" in n for n in listener.notes)
    (row,) = result.results.separations().to_pylist()
    assert row["track_flags"] == "left_out:accompaniment"
    values = {r["target"]: r["value"] for r in result.results.scores().to_pylist()
              if r["metric"] == "SDR"}  # fmt: skip
    assert values["accompaniment"] == pytest.approx(10 * np.log10(3 / 1), abs=0.3)


def test_a_run_tells_of_a_delay(tmp_path: Path, make_adapter: Callable[..., Path]) -> None:
    write(tmp_path / "songs" / "one", {"vocals": noise(1), "accompaniment": 0.01 * noise(2)})
    place = make_adapter(
        "late", "return {s: np.pad(mixture, ((0, 0), (529, 0)))[:, :-529] for s in self.stems}"
    )
    result, listener = run(tmp_path / "songs", tmp_path / "out", ["late"], adapter_paths=[place])
    assert any("the estimate vocals comes 529 samples late" in note for note in listener.notes)
    (row,) = result.results.separations().to_pylist()
    assert "529 samples late" in row["error"]


def test_a_separator_that_gives_no_samples_costs_its_own_cell(
    tmp_path: Path, make_adapter: Callable[..., Path]
) -> None:
    write(tmp_path / "songs" / "one", {"vocals": noise(1), "accompaniment": noise(2)})
    place = make_adapter("void", "return {s: mixture[:, :0] for s in self.stems}")
    result, listener = run(
        tmp_path / "songs", tmp_path / "out", ["void", "mixture:2stems"], adapter_paths=[place]
    )
    assert (result.tally.ok, result.tally.failed) == (1, 1)
    assert "0 samples" in listener.failures["one"]


def test_stems_that_were_made_elsewhere_pair_by_spelling(
    tmp_path: Path, make_adapter: Callable[..., Path]
) -> None:
    song = "Ærøskøbing é, live"
    sounds = {"vocals": noise(1), "accompaniment": noise(2)}
    write(tmp_path / "songs" / unicodedata.normalize("NFC", song), sounds)
    folder = make_adapter("mine") / "mine"
    named = {"Vocals": sounds["vocals"], "no vocals": sounds["accompaniment"]}
    write(folder / "stems" / unicodedata.normalize("NFD", song), named)
    (folder / "adapter.py").unlink()
    manifest = (folder / "adapter.toml").read_text()
    (folder / "adapter.toml").write_text('kind = "folder"\nfolder = "stems"\n' + manifest)
    result, listener = run(
        tmp_path / "songs", tmp_path / "out", ["mine"], adapter_paths=[folder.parent],
        tracks=[song],
    )  # fmt: skip
    assert not listener.failures
    assert min(row["value"] for row in result.results.scores().to_pylist()) > 60


def test_tracks_may_have_commas_in_their_names(tmp_path: Path) -> None:
    for song in ("One, two", "three", "four"):
        write(tmp_path / song, {"vocals": noise(1)})
    plugin = Catalog().dataset("folder")
    chosen = open_dataset(plugin, tmp_path, names=["One, two", "four,three"])
    assert [track.name for track in chosen.tracks] == ["One, two", "four", "three"]


def test_every_ending_that_is_read_counts_in_a_data_set(tmp_path: Path) -> None:
    folder = write(tmp_path / "song", {"vocals": noise(1), "drums": noise(2), "bass": noise(3)})
    (folder / "drums.wav").rename(folder / "Drums.CAF")
    (folder / "bass.wav").rename(folder / "bass")
    (track,) = open_dataset(Catalog().dataset("folder"), tmp_path).tracks
    assert set(track.stems) == {"vocals", "drums", "bass"}
    mixture = np.asarray(prepare(track, tmp_path / "scratch").mixture.open())
    np.testing.assert_allclose(mixture, noise(1) + noise(2) + noise(3), atol=1e-5)


def test_files_of_one_stem_that_differ_in_length_are_flagged(tmp_path: Path) -> None:
    folder = write(tmp_path / "p" / "s" / "drums", {"a": noise(1), "b": noise(2)[:, :-700]})
    facts = {"stems": [{"stemName": "drums", "tracks": [{"id": "a"}, {"id": "b"}]}]}
    (folder.parent / "data.json").write_text(json.dumps(facts))
    (track,) = open_dataset(Catalog().dataset("moisesdb"), tmp_path).tracks
    assert prepare(track, tmp_path / "scratch").flags == ("unequal_lengths",)
    write(folder, {"b": noise(2, channels=1)[:, :-700]})
    (track,) = open_dataset(Catalog().dataset("moisesdb"), tmp_path).tracks
    assert "unequal_lengths" in prepare(track, tmp_path / "again").flags


def test_fewer_estimates_than_references_find_theirs_among_all() -> None:
    """References a, b, c; the estimates called a and b are c and a."""
    true = {name: noise(number, channels=1) for number, name in enumerate("abc")}
    given = {
        "a": true["c"] + 0.1 * noise(7, channels=1),
        "b": true["a"] + 0.1 * noise(8, channels=1),
    }
    series = evaluate(true, given, RATE, "bsseval-sources-permuted")["bsseval-sources-permuted"]
    values = {one.target: one.values[0] for one in series if one.metric == "SDR"}
    assert values["a"] > 15
    assert values["c"] > 15
    assert np.isnan(values["b"])
    assert {one.target: one.reasons[0] for one in series}["b"] == "missing_estimate"


def test_a_hidden_folder_is_no_track_in_any_layout(tmp_path: Path) -> None:
    for place in ("test/song", "test/.song", "test/__MACOSX", "train/.AppleDouble"):
        write(tmp_path / place, {"vocals": noise(1), "drums": noise(2), "bass": noise(3),
                                 "other": noise(4), "mixture": noise(5)})  # fmt: skip
    for name in ("folder", "musdb18-hq"):
        tracks = open_dataset(Catalog().dataset(name), tmp_path, split=None).tracks
        assert [track.name for track in tracks] == ["song"]


def test_a_problem_of_all_tracks_is_the_data_sets(tmp_path: Path) -> None:
    write(tmp_path / "a", {"Vocals": noise(1), "vocals": noise(1)})
    with pytest.raises(benchbench.errors.UsageError, match="which is vocals"):
        open_dataset(Catalog().dataset("folder"), tmp_path)
    track = write(tmp_path / "b", {"vocals": noise(1)})
    (track / "vocals.wav").write_bytes(b"RIFF")
    good = [t for t in open_dataset(Catalog().dataset("folder"), tmp_path).tracks if not t.problem]
    with pytest.raises(AudioError):
        prepare(good[0], tmp_path / "scratch")


@pytest.mark.parametrize("models", [("mixture",), ("irm", "mixture")])
def test_models_without_a_common_stem_are_refused_before_anything_is_separated(
    models: tuple[str, ...], tmp_path: Path
) -> None:
    root = tmp_path / "speech"
    write(root / "a", {"speech": noise(0), "noise": noise(1)})
    with pytest.raises(NothingToCompareError) as refused:
        run(root, tmp_path / "out", models)
    assert refused.value.message == (
        f"{models[0]}:2stems gives vocals, accompaniment; the tracks of folder have noise, speech. "
        "Only stems of one name are compared."
    )
    assert not (tmp_path / "out" / "separations").exists()


def test_a_model_without_a_common_stem_is_named_beside_one_that_has_some(
    make_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    root = tmp_path / "speech"
    write(root / "a", {"speech": noise(0), "noise": noise(1)})
    place = make_adapter("talker", stems=("speech", "noise"))
    notes: list[str] = []
    request = {"root": root, "out": tmp_path / "out", "metrics": "usdr", "report": False,
               "adapter_paths": [place]}  # fmt: skip
    result = benchbench.run(
        ["mixture", "talker"], "folder", **request,
        listener=lambda event: notes.append(event.text) if isinstance(event, Note) else None,
    )  # fmt: skip
    assert any(text.startswith("mixture:2stems gives vocals, accompaniment;") for text in notes)
    scores = result.scores_frame()
    valued = scores[scores["value"].notna()]
    assert set(valued["model"]) == {"talker:plain"}
    with pytest.raises(NothingToCompareError, match="irm:2stems gives vocals"):
        benchbench.run(["irm", "talker"], "folder", **request)


def test_one_track_with_a_common_stem_is_enough(tmp_path: Path) -> None:
    root = tmp_path / "mixed"
    write(root / "a", {"speech": noise(0), "noise": noise(1)})
    write(root / "b", {"vocals": noise(0), "noise": noise(1)})
    run(root, tmp_path / "out")
    scores = benchbench.Results(tmp_path / "out").scores_frame()
    assert scores["value"].notna().any()
