"""Audio beside a stranger's results: links are not followed, damaged files are left out or named."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.errors import AudioError, DamagedResultsError, NothingToCompareError
from benchbench.reporting.data.kept_audio import Library
from benchbench.results.store import Results
from benchbench.stats.attempts import newest_separations
from tests.conftest import RATE, tones, write_track

Change = Callable[[Path, Path], object]


@pytest.fixture(scope="module")
def sound_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a model on two songs, with kept audio."""
    place = tmp_path_factory.mktemp("kept")
    for seed, name in enumerate(("one", "two")):
        write_track(place / "songs" / name, tones(1.0, seed=seed))
    benchbench.run(
        "mixture:4stems", "folder", root=place / "songs", out=place / "results",
        metrics=["usdr"], keep_stems="yes", report=False,
    )  # fmt: skip
    assert len(list((place / "results" / "audio").rglob("*.flac"))) == 20
    return place / "results"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """The importer's own recording, which nothing may publish."""
    path = tmp_path / "private" / "vocals.flac"
    path.parent.mkdir()
    soundfile.write(path, np.full((RATE, 2), 0.123), RATE)
    return path


def lie(path: Path) -> None:
    """State 2^36 - 1 samples in the header of a FLAC file."""
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)


def replaced(path: Path, private: Path) -> None:
    path.unlink()
    path.symlink_to(private)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES: dict[str, Change] = {
    "a link": replaced,
    "a pipe": lambda path, _: pipe(path),
    "no audio": lambda path, _: path.write_bytes(b"x" * 5000),
    "empty": lambda path, _: path.write_bytes(b""),
    "half": lambda path, _: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a header that lies": lambda path, _: lie(path),
}


@pytest.fixture(params=[*CHANGES, "a folder that is a link"])
def theirs(
    request: pytest.FixtureRequest, sound_results: Path, private: Path, tmp_path: Path
) -> Path:
    """The results with changed audio files."""
    root = tmp_path / "theirs"
    shutil.copytree(sound_results, root)
    if request.param == "a folder that is a link":
        for kind in ("tracks", "separations"):
            (root / "audio" / kind).rename(tmp_path / kind)
            (root / "audio" / kind).symlink_to(tmp_path / kind)
    else:
        for path in sorted((root / "audio").rglob("*.flac")):
            CHANGES[request.param](path, private)
    return root


def test_a_report_leaves_such_audio_out(theirs: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    benchbench.report([theirs], page)
    text = page.read_text(encoding="utf-8")
    assert "</html>" in text
    assert "mixture:4stems" in text
    results = Results(theirs)
    frame = results.separations_frame()
    library = Library((results,), newest_separations(frame, list(frame["run_id"].unique())))
    linked = [path for path in (theirs / "audio").rglob("*") if path.is_symlink()]
    if linked:
        assert library.reference("one", "vocals") is None
        assert library.estimate("mixture:4stems", "one", "vocals") is None
        assert "data:audio" not in text


@pytest.mark.parametrize("form", ["submit", "webmushra"])
def test_such_audio_is_not_handed_on(theirs: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    with contextlib.suppress(AudioError, DamagedResultsError, NothingToCompareError):
        if form == "submit":
            benchbench.submit(theirs, out)
        else:
            benchbench.export("webmushra", out, theirs, target="vocals")
    for path in [*out.rglob("*.flac"), *out.rglob("*.wav")]:
        assert not path.is_symlink()
        audio, _ = soundfile.read(path)
        assert not np.isclose(audio, 0.123, atol=1e-3).all(), path
    if any(path.is_symlink() for path in (theirs / "audio").rglob("*")):
        assert not list(out.rglob("*.flac")) + list(out.rglob("*.wav"))
