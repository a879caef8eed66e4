"""The mel scale of Slaney's Auditory Toolbox, and its triangular filters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchbench.metrics.signals import Float64

__all__ = ["MelBands", "hz_to_mel", "mel_filters", "mel_to_hz"]

_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(hz: Float64) -> Float64:
    """Mel of a frequency: linear below 1 kHz, logarithmic above."""
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _HZ_PER_MEL, above)


def mel_to_hz(mel: Float64) -> Float64:
    """Frequency in hertz of a mel."""
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_MEL, above)


def mel_filters(count: int, size: int, sample_rate: int) -> Float64:
    """Triangular filters from 0 Hz to half the rate, each with unit area over hertz.

    Returns
    -------
    float64 array of shape (count, size // 2 + 1)

    Notes
    -----
    ``librosa.filters.mel`` with its defaults rounds the same filters to float32.
    """
    bins = np.arange(size // 2 + 1) * (sample_rate / size)
    top = hz_to_mel(np.array(sample_rate / 2.0))
    edges = mel_to_hz(np.linspace(0.0, float(top), count + 2))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low)))


_GROUP = 16
"""Bands per matrix product, which covers the bins of all of them."""


@dataclass(frozen=True, slots=True)
class MelBands:
    """`mel_filters`, stored without most of their zeros.

    Attributes
    ----------
    count
        Number of bands.
    groups
        For each group of neighbouring bands the bins that they cover and their weights there,
        shape (bins, bands).
    """

    count: int
    groups: tuple[tuple[slice, Float64], ...]

    @classmethod
    def of(cls, count: int, size: int, sample_rate: int) -> MelBands:
        """The filters that `mel_filters` gives for the same arguments."""
        filters = mel_filters(count, size, sample_rate)
        groups = []
        for first in range(0, count, _GROUP):
            group = filters[first : first + _GROUP]
            used = np.flatnonzero(group.any(axis=0))
            span = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
            groups.append((span, np.ascontiguousarray(group[:, span].T)))
        return cls(count, tuple(groups))

    def of_magnitudes(self, magnitudes: Float64) -> Float64:
        """Weighted sums over bins: shape (..., size // 2 + 1) to (..., count)."""
        flat = magnitudes.reshape(-1, magnitudes.shape[-1])
        out = np.empty((len(flat), self.count))
        first = 0
        for span, weights in self.groups:
            np.matmul(flat[:, span], weights, out=out[:, first : first + weights.shape[1]])
            first += weights.shape[1]
        return out.reshape(*magnitudes.shape[:-1], self.count)
