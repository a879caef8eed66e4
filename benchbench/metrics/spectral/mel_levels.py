"""Bleedless and fullness, from the levels in mel bands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from benchbench.metrics.arrays.mapped_arrays import mapped_zeros
from benchbench.metrics.signals import Blocks, Float64
from benchbench.metrics.spectral.mel import MelBands
from benchbench.metrics.spectral.segments import REACH, Need, Segment, Transform
from benchbench.metrics.spectral.stft import Stft

__all__ = ["MEL_BANDS", "MEL_STFT", "MelLevels"]

MEL_STFT = Stft(4096, 1024, padding="zeros")
MEL_BANDS = 512
MEL_FLOOR = 1e-10
TOP_DB = 80.0

_BATCH = 1 << 17
"""Levels that are compared at a time, so that they stay in cache."""

_REFLECTED = Transform(Stft(MEL_STFT.size, MEL_STFT.hop))
"""The transform that other parts share; it differs from `MEL_STFT` near the ends only."""


class MelLevels:
    """Levels of reference and estimate in decibels.

    Parameters
    ----------
    signals
        Reference and estimate.
    channels
        Number of channels.
    bands
        The mel bands of `MEL_STFT`.

    """

    def __init__(self, signals: Blocks, channels: int, bands: MelBands) -> None:
        self._signals = signals
        self._bands = bands
        self._done = 0
        self._levels = mapped_zeros((2, channels, MEL_STFT.frames(signals.samples), bands.count))

    def part(self, segment: Segment) -> _Part:
        """See `benchbench.metrics.spectral.segments.Collector`."""
        return _Part(segment, self._bands)

    def add(self, part: _Part) -> None:
        """Store the levels of a segment, with zeros instead of reflection beyond the ends."""
        joined = np.concatenate(part.levels, axis=2)
        first = part.segment.start // MEL_STFT.hop
        for frame in range(first, first + joined.shape[2]):
            centre = frame * MEL_STFT.hop
            if centre < REACH or centre > self._signals.samples - REACH:
                spectra = MEL_STFT.transform(self._signals, slice(None), (frame, frame + 1))
                joined[:, :, frame - first] = _in_decibels(self._bands, np.abs(spectra))[:, :, 0]
        self._levels[:, :, self._done : self._done + joined.shape[2]] = joined
        self._done += joined.shape[2]

    def bleed_and_fullness(self) -> tuple[float, float]:
        """Scores from 0 to 100 for little excess energy (bleedless) and little missing energy."""
        return _bleed_and_fullness(self._levels)


@dataclass(slots=True)
class _Part:
    segment: Segment
    bands: MelBands
    levels: list[Float64] = field(default_factory=list)

    def needs(self) -> Iterable[Need]:
        yield Need(_REFLECTED, "magnitudes", self._take)

    def _take(self, magnitudes: Float64) -> None:
        self.levels.append(_in_decibels(self.bands, magnitudes))


def _in_decibels(bands: MelBands, magnitudes: Float64) -> Float64:
    """Levels in decibels of the mel bands, bands last."""
    banded = np.maximum(bands.of_magnitudes(magnitudes), MEL_FLOOR)
    return np.asarray(20.0 * np.log10(banded, out=banded))


def _bleed_and_fullness(levels: Float64) -> tuple[float, float]:
    """Scores for little excess energy (bleedless) and little missing energy (fullness).

    Parameters
    ----------
    levels
        Levels of reference and estimate, shape (2, channels, frames, bands). Those more than 80 dB
        below the loudest are raised to 80 dB below it.
    """
    floors = [one.max() - TOP_DB for one in levels]
    sums, counts = np.zeros(2), np.zeros(2, dtype=int)
    step = max(1, _BATCH // levels.shape[3])
    for channel in range(levels.shape[1]):
        for first in range(0, levels.shape[2], step):
            reference, estimate = (
                np.maximum(one[channel, first : first + step], floor)
                for one, floor in zip(levels, floors, strict=True)
            )
            estimate -= reference
            for which, sign in enumerate((1.0, -1.0)):
                excess = np.maximum(sign * estimate, 0.0)
                sums[which] += excess.sum()
                counts[which] += np.count_nonzero(excess)
    means = np.divide(sums, counts, out=np.zeros(2), where=counts > 0)
    return float(100.0 / (1.0 + means[0])), float(100.0 / (1.0 + means[1]))
