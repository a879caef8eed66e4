"""Long files: memory does not grow with them, and stems of more than 4 GiB come back whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchbench.io.audio.audio_files import write_wav
from benchbench.io.audio.decoding import blocks, info
from tests.formats.files import KINDS, write

DECODE = """
import resource, sys
from pathlib import Path
from benchbench.io.audio.decoding import blocks
samples = sum(block.shape[1] for block in blocks(Path(sys.argv[1])))
print(samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def decoded(path: Path) -> tuple[int, int]:
    """Samples, and the peak memory of a process that decodes a file, in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", DECODE, str(path)], capture_output=True, text=True, check=True
    )
    samples, peak = done.stdout.split()
    return int(samples), int(peak)


def test_two_hours_of_mp3_take_the_memory_of_a_minute(tmp_path: Path) -> None:
    """Variable bitrate, no header that states a length."""
    (kind,) = [kind for kind in KINDS if kind.name == "notags.mp3"]
    content = write(kind, tmp_path).read_bytes()
    short, long = tmp_path / "minute.mp3", tmp_path / "hours.mp3"
    short.write_bytes(content * 15)
    with long.open("wb") as file:
        for _ in range(1800):
            file.write(content)
    few, little = decoded(short)
    many, much = decoded(long)
    assert many == pytest.approx(120 * few, rel=1e-3)
    assert many > 2 * 3600 * 44100
    assert much < little + 100, (little, much)


def test_a_stem_of_more_than_4_gib_comes_back_whole(tmp_path: Path) -> None:
    """Ninety-four minutes of stereo at 96 kHz, as floats: 4.03 GiB."""
    samples = 541_000_000
    raw = tmp_path / "stem.f32"
    with raw.open("wb") as file:
        file.truncate(samples * 2 * 4)  # silence that takes no room
    stem = np.memmap(raw, np.float32, "r+", shape=(samples, 2))
    for place in (0, samples // 2, samples - 1):
        stem[place] = (0.25, -0.5)
    path = tmp_path / "stem.wav"
    write_wav(path, stem.T, 96000)
    raw.unlink()
    assert path.stat().st_size > 1 << 32
    assert info(path).samples == samples
    seen = energy = 0.0
    for block in blocks(path):
        if seen + block.shape[1] == samples:
            np.testing.assert_array_equal(block[:, -1], np.float32([0.25, -0.5]))
        seen += block.shape[1]
        energy += float(np.square(block).sum())
    assert seen == samples
    assert energy == 3 * (0.25**2 + 0.5**2)
