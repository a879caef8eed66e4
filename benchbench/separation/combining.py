"""Combine several estimates of one stem: sample by sample, or by the cells of a spectrogram.

Both work block by block, so that a two-hour file needs no more memory than a song.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.io.audio.decoding import BLOCK, Audio

__all__ = ["combined"]

WINDOW = 4096
HOP = WINDOW // 4
FRAMES = 256
"""Number of frames of the transform that are in memory at a time."""

Values: TypeAlias = npt.NDArray[Any]
Combine: TypeAlias = Callable[[Values], Values]


def combined(
    estimates: Sequence[Audio], combine: str, domain: str, weights: Sequence[float], samples: int
) -> Iterator[Audio]:
    """Combine several estimates; yields blocks of shape (channels, n).

    Parameters
    ----------
    estimates
        Arrays of shape (channels, samples); shorter ones are padded with zeros.
    combine
        ``mean`` (weighted), ``median``, or ``min`` or ``max``: for each sample or cell the value of
        the smallest or largest magnitude. Means and medians of spectra are taken over magnitudes
        and get the phase of the weighted sum.
    domain
        ``wave`` or ``spectrum``: short-time Fourier transforms with a window of 4096 samples (square
        root of Hann) and a hop of 1024.
    weights
        One per estimate, not negative, not all zero.
    samples
        The length of the result.
    """
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    if domain == "wave":
        return _by_sample(estimates, _waves(combine, shares), samples)
    return _by_cell(estimates, _spectra(combine, shares), samples)


def _waves(combine: str, shares: Values) -> Combine:
    if combine == "mean":
        return lambda values: np.tensordot(shares, values, axes=1)
    if combine == "median":
        return lambda values: np.median(values, axis=0)
    return _extreme(combine)


def _spectra(combine: str, shares: Values) -> Combine:
    if combine in ("min", "max"):
        return _extreme(combine)

    def magnitudes(values: Values) -> Values:
        size = np.abs(values)
        level = np.tensordot(shares, size, axes=1) if combine == "mean" else np.median(size, axis=0)
        total = np.tensordot(shares, values, axes=1)
        length = np.abs(total)
        scale: Values = np.divide(level, length, out=np.zeros_like(length), where=length > 0)
        scaled: Values = total * scale
        return scaled

    return magnitudes


def _extreme(combine: str) -> Combine:
    """The values of the smallest or the largest magnitude."""
    place = np.argmin if combine == "min" else np.argmax

    def chosen(values: Values) -> Values:
        which = place(np.abs(values), axis=0)
        taken: Values = np.take_along_axis(values, which[None], axis=0)[0]
        return taken

    return chosen


def _by_sample(estimates: Sequence[Audio], combine: Combine, samples: int) -> Iterator[Audio]:
    for start in range(0, samples, BLOCK):
        stop = min(start + BLOCK, samples)
        yield combine(_stretch(estimates, start, stop)).astype(np.float32)


def _by_cell(estimates: Sequence[Audio], combine: Combine, samples: int) -> Iterator[Audio]:
    """Overlap-add; the first frame starts before the audio, so that all samples have equal weight."""
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))
    overlap = WINDOW - HOP
    count = -(-(samples + overlap) // HOP)
    tail = np.zeros((estimates[0].shape[0], overlap))
    for first in range(0, count, FRAMES):
        frames = min(FRAMES, count - first)
        start = first * HOP - overlap
        held = _stretch(estimates, start, start + overlap + frames * HOP)
        cut = np.lib.stride_tricks.sliding_window_view(held, WINDOW, axis=-1)[..., ::HOP, :]
        spectrum = combine(np.fft.rfft(cut * window, axis=-1))
        waves = np.fft.irfft(spectrum, WINDOW, axis=-1) * window / 2  # the windows sum to 2
        out = np.zeros((waves.shape[0], overlap + frames * HOP))
        for frame in range(frames):
            out[:, frame * HOP : frame * HOP + WINDOW] += waves[:, frame]
        out[:, :overlap] += tail
        tail = out[:, frames * HOP :].copy()
        ready = out[:, max(0, -start) : min(frames * HOP, samples - start)]
        if ready.shape[1]:
            yield ready.astype(np.float32)


def _stretch(estimates: Sequence[Audio], start: int, stop: int) -> npt.NDArray[np.float64]:
    """Samples `start` to `stop` of every estimate, zeros outside it."""
    held = np.zeros((len(estimates), estimates[0].shape[0], stop - start))
    for row, estimate in zip(held, estimates, strict=True):
        low, high = max(start, 0), min(stop, estimate.shape[1])
        if low < high:
            row[:, low - start : high - start] = estimate[:, low:high]
    return held
