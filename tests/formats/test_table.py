"""Samples, channels, order and content of generated files equal an ffmpeg program's, or one error.

Never anything else: no file may be read differently without a word.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchbench.errors import AudioError
from benchbench.io.audio.decoding import blocks, info
from tests.formats.files import DEFECTS, KINDS, Kind, write

BY_NAME = {kind.name: kind for kind in KINDS}
TOLERANCE = 2e-6
"""Two versions of one decoder differ by rounding."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


def judged(path: Path, channels: int) -> np.ndarray:
    """What the ffmpeg program decodes, float32 (channels, samples); it goes on behind errors."""
    done = subprocess.run(
        ["ffmpeg", "-v", "quiet", "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-"],
        capture_output=True,
        check=False,
    )
    return np.frombuffer(done.stdout, np.float32).reshape(-1, channels).T


def decoded(path: Path, told: list[str] | None = None) -> np.ndarray:
    return np.concatenate(
        list(blocks(path, on_truncated=told.append if told is not None else None)), axis=1
    )


def require_equal(found: np.ndarray, judge: np.ndarray, kind: Kind) -> None:
    """Equal; at the end of Ogg Vorbis, FFmpeg drops up to a block that the last page counts."""
    spare = 2048 if kind.ending == "ogg" else 0
    assert judge.shape[1] <= found.shape[1] <= judge.shape[1] + spare
    np.testing.assert_allclose(found[:, : judge.shape[1]], judge, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_whole(kind: Kind, folder: Path) -> None:
    path = write(kind, folder)
    found = decoded(path)
    assert info(path).channels == found.shape[0]
    require_equal(found, judged(path, found.shape[0]), kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_under_another_name(kind: Kind, folder: Path, tmp_path: Path) -> None:
    """Without an ending, or with that of another format: the content decides."""
    path = write(kind, folder)
    found = decoded(path)
    for name in ("bare", "wrong.WAV", "wrong.mp3"):
        other = tmp_path / name
        other.write_bytes(path.read_bytes())
        np.testing.assert_array_equal(decoded(other), found)


@pytest.mark.parametrize("share", [0.6, 0.97])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_cut_off(kind: Kind, share: float, folder: Path, tmp_path: Path) -> None:
    """An error; where it is allowed, what the program decodes before it meets the cut."""
    whole = write(kind, folder)
    path = tmp_path / kind.name
    path.write_bytes(whole.read_bytes()[: round(share * whole.stat().st_size)])
    if kind.states_length:
        with pytest.raises(AudioError, match=r"truncated|cannot be read as audio"):
            decoded(path)
    told: list[str] = []
    try:
        found = decoded(path, told)
    except AudioError:
        return  # such as an MP4 whose index was behind the sound
    judge = judged(path, found.shape[0])
    common = min(found.shape[1], judge.shape[1])
    assert found.shape[1] <= judge.shape[1] + 2048
    assert common > 0.3 * decoded(whole).shape[1]
    np.testing.assert_allclose(found[:, :common], judge[:, :common], atol=TOLERANCE)
    if not told:
        assert found.shape[1] == judge.shape[1]


@pytest.mark.parametrize(
    ("defect", "name"), [(defect, name) for defect, (names, _) in DEFECTS.items() for name in names]
)
def test_defect(defect: str, name: str, folder: Path, tmp_path: Path) -> None:
    """The same sound as of the file without the defect; twice where it was joined to itself."""
    whole = write(BY_NAME[name], folder)
    found = decoded(whole)
    path = tmp_path / name
    path.write_bytes(DEFECTS[defect][1](whole.read_bytes()))
    expected = np.concatenate([found, found], axis=1) if defect == "joined" else found
    np.testing.assert_allclose(decoded(path), expected, atol=TOLERANCE)


@pytest.mark.parametrize("options", ["-f wav", "-f flac", "-f matroska", "-f ogg -c:a libvorbis",
                                     "-f mp3", "-f adts", "-f w64", "-f au", "-f mpegts"])  # fmt: skip
def test_written_into_a_pipe(options: str, folder: Path, tmp_path: Path) -> None:
    """A writer that cannot go back leaves its header without a length."""
    source = write(BY_NAME["s16.wav"], folder)
    path = tmp_path / "piped"
    with path.open("wb") as file:
        words = ["ffmpeg", "-v", "error", "-i", str(source), *options.split(), "pipe:1"]
        subprocess.run(words, stdout=subprocess.PIPE, check=True)
        file.write(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
    judge = judged(path, 2)
    if not judge.size:  # the program cannot read its own W64 either
        with pytest.raises(AudioError, match="cannot be read as audio"):
            decoded(path)
        return
    found = decoded(path)
    require_equal(found, judge, Kind("x.ogg" if "ogg" in options else "x", ""))
    assert found.shape[1] >= 4 * 44100


def test_first_audio_stream_of_a_video(folder: Path, tmp_path: Path) -> None:
    source, other = write(BY_NAME["s16.wav"], folder), write(BY_NAME["cbr.mp3"], folder)
    path = tmp_path / "clip.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=4:s=64x64:r=10", "-i", str(source),
         "-i", str(other), "-map", "0", "-map", "1", "-map", "2", "-c:v", "mpeg4", "-c:a", "aac",
         str(path)],
        check=True,
    )  # fmt: skip
    require_equal(decoded(path), judged(path, 2), Kind("x", ""))


def test_the_table_is_long_enough() -> None:
    files = 4 * len(KINDS) + sum(len(names) for names, _ in DEFECTS.values()) + 10
    assert files > 300
