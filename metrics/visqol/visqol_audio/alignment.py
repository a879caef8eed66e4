"""Alignment in time by the correlation of the signals' envelopes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

__all__ = ["aligned", "best_lag", "cut_alike"]

Float64 = npt.NDArray[np.float64]


def best_lag(reference: Float64, estimate: Float64) -> int:
    """The number of samples by which the estimate is early; negative if it is late.

    A lag of more than half the length of the reference counts as 0.
    """
    size = max(len(reference), len(estimate))
    points = 1 << (2 * size - 2).bit_length()
    product = fft.rfft(_envelope(reference), points) * np.conj(
        fft.rfft(_envelope(estimate), points)
    )
    correlation = fft.irfft(product, points)
    ordered = np.concatenate([correlation[-(size - 1) :], correlation[:size]])
    lag = int(np.argmax(ordered)) - (size - 1)
    return 0 if abs(lag) > len(reference) / 2.0 else lag


def aligned(estimate: Float64, lag: int) -> Float64:
    """The estimate with zeros added before it, or with its beginning removed."""
    return np.concatenate([np.zeros(lag), estimate]) if lag > 0 else estimate[-lag:]


def cut_alike(reference: Float64, estimate: Float64) -> tuple[Float64, Float64]:
    """Both signals, aligned and cut to their common part."""
    lag = best_lag(reference, estimate)
    moved = aligned(estimate, lag)
    if len(reference) < len(moved) and lag > 0:
        reference, moved = reference[lag:], moved[lag:]
    shared = min(len(reference), len(moved))
    return reference[:shared], moved[:shared]


def _envelope(signal: Float64) -> Float64:
    """The magnitude of the analytic signal of the signal without its mean, plus the mean."""
    mean = signal.mean()
    size = len(signal)
    spectrum = np.zeros(size, dtype=np.complex128)
    half = fft.rfft(signal - mean)
    spectrum[: len(half)] = half
    spectrum[1 : (size + 1) // 2] *= 2.0
    return np.asarray(np.abs(fft.ifft(spectrum)) + mean)
