"""Positions of frames: museval's rule for evaluation, and a partition of the whole track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchbench.errors import UsageError
from benchbench.metrics.signals import Float64

__all__ = ["Framing"]


@dataclass(frozen=True, slots=True)
class Framing:
    """Frames of `window` samples every `hop` samples over a track of `samples` samples.

    As in museval, a partial frame at the end is left out, and a track that is not longer than one
    window is one frame.

    Examples
    --------
    >>> Framing(samples=10, window=4, hop=4).frames
    [(0, 4), (4, 8)]
    >>> Framing(samples=10, window=4, hop=4).partition
    [(0, 4), (4, 8), (8, 10)]
    """

    samples: int
    window: int
    hop: int

    @classmethod
    def in_seconds(cls, samples: int, rate: int, window_s: float, hop_s: float) -> Framing:
        """Frames whose length and hop are given in seconds and rounded down to samples."""
        window, hop = int(window_s * rate), int(hop_s * rate)
        if window < 1 or hop < 1:
            raise UsageError(
                f"A window of {window_s} s every {hop_s} s has no sample at {rate} Hz."
            )
        return cls(samples, window, hop)

    @property
    def frames(self) -> list[tuple[int, int]]:
        """First and last sample (exclusive) of each frame."""
        if self.window >= self.samples:
            return [(0, self.samples)]
        count = (self.samples - self.window + self.hop) // self.hop
        return [(t * self.hop, t * self.hop + self.window) for t in range(count)]

    @property
    def partition(self) -> list[tuple[int, int]]:
        """Adjacent segments of one window each that cover the track; the last may be shorter."""
        edges = [*range(0, self.samples, self.window), self.samples]
        return list(pairwise(edges))

    @property
    def tiles(self) -> bool:
        """Whether the frames are the first segments of the partition."""
        return self.frames == self.partition[: len(self.frames)]

    def seconds(self, rate: int) -> tuple[Float64, Float64]:
        """Start and duration of each frame in seconds, as in `Series`."""
        frames: Sequence[tuple[int, int]] = self.frames
        starts, stops = np.array(frames, dtype=np.float64).T
        return starts / rate, (stops - starts) / rate
