"""The sums over magnitude spectrograms behind `spectral`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from benchbench.metrics.signals import Float64
from benchbench.metrics.spectral.segments import Need, Segment, Transform
from benchbench.metrics.spectral.stft import Stft

__all__ = ["L1_STFT", "RESOLUTIONS", "DistanceSums", "Sums"]

L1_STFT: Final = Stft(2048, 1024, window="rectangular")
RESOLUTIONS: Final = (Stft(1024, 256), Stft(2048, 512), Stft(4096, 1024))


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over frames and bins, of shape (channels,), of two magnitude spectrograms.

    Attributes
    ----------
    squared, estimate
        Energies of the difference and of the estimate.
    logarithmic
        Sums of the absolute differences of the logarithms.
    distances
        Over frames only: root mean square differences of the levels in decibels.
    """

    squared: Float64
    estimate: Float64
    logarithmic: Float64
    distances: Float64

    def loss(self, count: int) -> float:
        """Spectral convergence relative to the estimate plus the mean log-magnitude distance."""
        convergence = np.sqrt(self.squared / self.estimate)
        return float(convergence.mean() + self.logarithmic.mean() / count)


class DistanceSums:
    """Sums over a track.

    Parameters
    ----------
    channels
        Number of channels.

    Attributes
    ----------
    absolute
        Sum of the absolute differences of the rectangular transform's magnitudes.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._sums = np.zeros((len(RESOLUTIONS), len(Sums.__slots__), channels))
        self.absolute = 0.0

    @property
    def resolutions(self) -> list[Sums]:
        """The sums of each of `RESOLUTIONS`."""
        return [Sums(*one) for one in self._sums]

    def part(self, segment: Segment) -> _Part:  # noqa: ARG002
        """See `benchbench.metrics.spectral.segments.Collector`."""
        return _Part(np.zeros((len(RESOLUTIONS), len(Sums.__slots__), self._channels)))

    def add(self, part: _Part) -> None:
        """Add the sums of a segment."""
        self.absolute += part.absolute
        self._sums += part.sums


@dataclass(slots=True)
class _Part:
    sums: Float64
    absolute: float = 0.0

    def needs(self) -> Iterable[Need]:
        yield Need(Transform(L1_STFT), "magnitudes", self._add_absolute)
        for total, stft in zip(self.sums, RESOLUTIONS, strict=True):
            yield Need(Transform(stft), "floored", partial(_add_distances, total))

    def _add_absolute(self, magnitudes: Float64) -> None:
        difference = magnitudes[1] - magnitudes[0]
        self.absolute += float(np.abs(difference, out=difference).sum())


def _add_distances(total: Float64, magnitudes: Float64) -> None:
    """Add the `Sums` of frames of shape (2, channels, frames, bins)."""
    reference, estimate = magnitudes
    difference = estimate - reference
    total[0] += [np.vdot(one, one) for one in difference]
    total[1] += [np.vdot(one, one) for one in estimate]
    logs = np.log(np.divide(estimate, reference, out=difference), out=difference)
    levels = np.sqrt(np.einsum("cfb,cfb->cf", logs, logs) / logs.shape[2])
    total[2] += np.abs(logs, out=logs).sum(axis=(1, 2))
    total[3] += 20.0 / np.log(10.0) * levels.sum(axis=1)
