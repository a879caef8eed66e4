"""Audio between processes: files of raw interleaved float32, opened as memory maps."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchbench.io.audio.audio_files import Audio

__all__ = ["RawAudio", "is_full", "scratch_folder", "write_raw"]

PREFIX = "benchbench-"

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class RawAudio:
    """A file of raw interleaved float32 and its shape."""

    file: str
    channels: int
    samples: int

    def open(self) -> Audio:
        """The audio, of shape (channels, samples), as a read-only memory map."""
        if self.samples == 0:
            return np.zeros((self.channels, 0), np.float32)
        return np.memmap(self.file, np.float32, "r", shape=(self.samples, self.channels)).T

    def describe(self) -> dict[str, Any]:
        """As the worker's requests hold it."""
        return asdict(self)


def write_raw(path: Path, blocks: Iterable[Audio]) -> RawAudio:
    """Write blocks of shape (channels, samples) one after another."""
    channels = samples = 0
    with path.open("wb") as file:
        for block in blocks:
            file.write(np.ascontiguousarray(block.T, np.float32).data)
            channels, samples = block.shape[0], samples + block.shape[1]
    return RawAudio(str(path), channels, samples)


def is_full(error: BaseException) -> bool:
    """Whether a file could not be written because a disk, a quota or a limit is full."""
    return isinstance(error, OSError) and error.errno in FULL


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the raw audio of this process, removed at the end.

    Folders that a killed process left behind are removed first. ``TMPDIR`` chooses the disk.
    """
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{PREFIX}*-*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=place) as folder:
        yield Path(folder)
