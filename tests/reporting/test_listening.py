from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from simulate import Plan, simulate

from benchbench.reporting import report
from benchbench.reporting.data.kept_audio import encoded, loudness
from benchbench.results.store import Results

from .test_page import Elements

RATE = 22050


@pytest.fixture(scope="module")
def audible(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("audible")
    simulate(root, Plan(models=3, tracks=3, frames=12, stems="two", failures=0.0))
    keep_tones(Results(root))
    return root


def keep_tones(results: Results) -> None:
    time = np.arange(RATE * 12) / RATE
    rows = results.separations_frame()
    for row in rows.to_dict("records"):
        folder = results.stem_audio(str(row["separation_id"]))
        folder.mkdir(parents=True)
        soundfile.write(folder / "vocals.flac", 0.2 * np.sin(1500 * time), RATE)
        folder = results.track_audio(str(row["track_hash"]))
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("mixture", "vocals"):
            soundfile.write(folder / f"{name}.flac", 0.1 * np.sin(1500 * time), RATE)


def sounds_of(text: str) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in Elements(text).found if tag == "audio"]


def test_excerpts_are_in_the_page_with_all_versions(audible: Path, tmp_path: Path) -> None:
    text = report([audible], tmp_path / "page.html").read_text(encoding="utf-8")
    found = sounds_of(text)
    kinds = [one["data-kind"] for tag, one in Elements(text).found if one.get("data-kind")]
    players = text.count("data-player=")
    assert players >= 1
    assert len(found) == len(kinds) == players * (2 + 2 * 3)
    assert {"mixture", "reference", "estimate", "residual"} == set(kinds)


def test_audio_decodes_to_one_length(audible: Path, tmp_path: Path) -> None:
    text = report([audible], tmp_path / "page.html").read_text(encoding="utf-8")
    lengths = set()
    for one in sounds_of(text)[:8]:
        data = base64.b64decode(str(one["src"]).split(",")[1])
        samples, rate = soundfile.read(io.BytesIO(data))
        lengths.add(len(samples))
        assert rate == RATE
    assert len(lengths) == 1
    assert 8 * RATE <= lengths.pop() <= 15 * RATE


def test_full_audio_is_whole_tracks(audible: Path, tmp_path: Path) -> None:
    text = report([audible], tmp_path / "page.html", audio="full").read_text(encoding="utf-8")
    found = sounds_of(text)
    assert found
    for one in found[:8]:
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(str(one["src"]).split(",")[1])))
        assert len(samples) / rate == pytest.approx(12, abs=0.1)


def test_no_audio_when_asked_for_none(audible: Path, tmp_path: Path) -> None:
    text = report([audible], tmp_path / "page.html", audio="none").read_text(encoding="utf-8")
    assert sounds_of(text) == []
    assert "made without audio" in text


def test_no_audio_when_the_licence_does_not_allow_it(tmp_path: Path) -> None:
    plan = Plan(models=3, tracks=3, frames=12, stems="two", failures=0.0, audio_excerpts=False)
    simulate(tmp_path, plan)
    keep_tones(Results(tmp_path))
    text = report([tmp_path], tmp_path / "page.html").read_text(encoding="utf-8")
    assert sounds_of(text) == []
    assert "does not allow its audio" in text


def test_a_site_has_a_player_on_every_track(audible: Path, tmp_path: Path) -> None:
    folder = report([audible], tmp_path / "site").parent
    for path in (folder / "tracks").glob("*.html"):
        assert sounds_of(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_loudness_of_the_tone_of_the_standard(rate: int) -> None:
    # ITU-R BS.1770-4: a full-scale sine of 997 Hz in one channel measures -3.01 LKFS.
    tone = np.sin(2 * np.pi * 997 * np.arange(rate * 5) / rate)
    assert loudness(tone[:, None], rate) == pytest.approx(-3.01, abs=0.05)


def test_encoding_says_what_it_is() -> None:
    assert encoded(np.zeros((4410, 1)), 44100).startswith("data:audio/mpeg;base64,")
