"""Audio exchange between processes: files of raw interleaved float32, opened as memory maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchbench.io.audio.audio_files import Audio

__all__ = ["RawAudio", "write_raw"]


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
