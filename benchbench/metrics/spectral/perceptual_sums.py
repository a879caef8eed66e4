"""The sums over A-weighted magnitude spectrograms behind `mrstft-perceptual`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from benchbench.metrics.signals import Float64
from benchbench.metrics.spectral.segments import Need, Segment, Transform
from benchbench.metrics.spectral.stft import Stft

__all__ = ["RESOLUTIONS", "PerceptualSums"]

RESOLUTIONS: Final = tuple(Stft(size, size // 4) for size in (256, 512, 1024, 2048, 4096))


class PerceptualSums:
    """Sums over a track.

    Parameters
    ----------
    sample_rate
        In hertz; the A-weighting filter depends on it.

    Attributes
    ----------
    total
        Energy of the difference, energy of the reference, absolute difference of the logarithms, by
        resolution: shape (5, 3).
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self.total = np.zeros((len(RESOLUTIONS), 3))

    def part(self, segment: Segment) -> _Part:  # noqa: ARG002
        """See `benchbench.metrics.spectral.segments.Collector`."""
        return _Part(self._rate, np.zeros(self.total.shape))

    def add(self, part: _Part) -> None:
        """Add the sums of a segment."""
        self.total += part.total


@dataclass(frozen=True, slots=True)
class _Part:
    rate: int
    total: Float64

    def needs(self) -> Iterable[Need]:
        for sums, stft in zip(self.total, RESOLUTIONS, strict=True):
            yield Need(Transform(stft, self.rate), "floored", partial(_add, sums))


def _add(sums: Float64, magnitudes: Float64) -> None:
    """Add the sums of frames of shape (2, channels, frames, bins)."""
    reference, estimate = magnitudes
    difference = estimate - reference
    sums[0] += np.vdot(difference, difference)
    sums[1] += np.vdot(reference, reference)
    logs = np.log(np.divide(estimate, reference, out=difference), out=difference)
    sums[2] += np.abs(logs, out=logs).sum()
