"""Audio exchange between processes: files of raw interleaved float32, opened as memory maps."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchbench.io.audio.audio_files import Audio

__all__ = ["RawAudio", "scratch_folder", "write_raw"]

PREFIX = "benchbench-"

LOCK = "in-use.lock"
DAY_S = 86400.0


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
        """A dictionary for the worker's requests."""
        return asdict(self)


def write_raw(path: Path, blocks: Iterable[Audio]) -> RawAudio:
    """Write blocks of shape (channels, samples) one after another."""
    channels = samples = 0
    with path.open("wb") as file:
        for block in blocks:
            file.write(np.ascontiguousarray(block.T, np.float32).data)
            channels, samples = block.shape[0], samples + block.shape[1]
    return RawAudio(str(path), channels, samples)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for the raw audio of this process, removed at the end.

    Folders that a killed process left behind are removed first. They are recognised by a lock that
    the system releases when a process ends, not by a process ID: containers that share a temporary
    folder may have equal process IDs. ``TMPDIR`` chooses the disk.
    """
    from filelock import FileLock  # imported on use: scoring files needs no scratch folder

    place = Path(tempfile.gettempdir())
    _remove_abandoned(place)
    with tempfile.TemporaryDirectory(
        prefix=f"{PREFIX}{os.getpid()}-", dir=place, ignore_cleanup_errors=True
    ) as folder:
        lock = FileLock(Path(folder, LOCK), timeout=0)
        with contextlib.suppress(OSError, NotImplementedError):  # a disk without locks
            lock.acquire()
        try:
            yield Path(folder)
        finally:
            lock.release()


def _remove_abandoned(place: Path) -> None:
    """Remove scratch folders whose lock is free; those without a lock file after one day."""
    from filelock import FileLock, Timeout

    for left in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            if left.is_symlink() or not left.is_dir():
                continue
            if (left / LOCK).exists():
                with FileLock(left / LOCK, timeout=0):
                    shutil.rmtree(left, ignore_errors=True)
            elif time.time() - left.stat().st_mtime > DAY_S:
                shutil.rmtree(left, ignore_errors=True)
