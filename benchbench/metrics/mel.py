"""The mel scale of Slaney's Auditory Toolbox, and its triangular filters."""

from __future__ import annotations

import numpy as np

from benchbench.metrics.signals import Float64

__all__ = ["hz_to_mel", "mel_filters", "mel_to_hz"]

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
