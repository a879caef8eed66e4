"""Waveform to frames and back, and the cells that the network sees, in NumPy and SciPy.

A frame is weighted with a periodic Hann window on the way in and on the way out; four or more
overlapping squared windows add up to a constant, so the way back is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from .configuration import Cells, bin_count, cell_count

Samples = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]
Numbers = npt.NDArray[np.float32]

TOP_CELLS = 16
"""The mean mask of so many cells, the highest, is that of all bins above them."""


def hann(frame: int) -> Samples:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)).astype(np.float32)


def analyse(samples: Samples, frame: int, step: int, bins: int) -> Spectrum:
    """Short-time Fourier transform, a full-scale sine giving about 1.

    Parameters
    ----------
    samples
        float32 (..., (frames - 1) * step + frame).
    frame, step
        Samples of a frame, and between two.
    bins
        Bins that are kept, from 0 Hz upwards.

    Returns
    -------
    numpy.ndarray
        complex64 (..., frames, bins).
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame, axis=-1)[..., ::step, :]
    window = hann(frame) * np.float32(4.0 / frame)
    spectrum: Any = scipy.fft.rfft(frames * window, axis=-1, overwrite_x=True)
    kept: Spectrum = spectrum[..., :bins]
    return kept


@dataclass(frozen=True, slots=True)
class Segment:
    """Some frames of a song.

    Parameters
    ----------
    spectrum
        complex64 (2, frames, bins).
    samples
        Of the samples that the segment's frames complete, those that belong to the song:
        without the silence that leads it in, and without what lies past its end.
    last
        Whether no segment follows.
    """

    spectrum: Spectrum
    samples: slice
    last: bool


class Analysis:
    """Cuts a song that comes in blocks into overlapping segments of frames.

    A song is led in by silence, so that its first samples lie under as many frames as all others.

    Parameters
    ----------
    frame, step
        Samples of a frame, and between two.
    frames, overlap
        Frames of a segment, and those that it shares with the next.
    """

    def __init__(self, frame: int, step: int, frames: int, overlap: int) -> None:
        self._frame, self._step, self._frames = frame, step, frames
        self._advance = frames - overlap
        self._lead = frame - step
        if self._advance * step < self._lead:
            raise ValueError("A segment must be longer than what frames overlap.")

    def segments(self, blocks: Iterable[Samples]) -> Iterator[Segment]:
        """Segments of float32 (2, any length) blocks, each as soon as its samples are there."""
        step, lead, advance = self._step, self._lead, self._advance
        window = np.zeros((2, (self._frames - 1) * step + self._frame), np.float32)
        size, shared = window.shape[1], window.shape[1] - advance * step
        filled, index, length = lead, 0, 0
        for block in blocks:
            length += block.shape[1]
            taken = 0
            while taken < block.shape[1]:
                count = min(block.shape[1] - taken, size - filled)
                window[:, filled : filled + count] = block[:, taken : taken + count]
                taken, filled = taken + count, filled + count
                if filled == size:
                    yield self._segment(window, index, advance * step, last=False)
                    window[:, :shared] = window[:, advance * step :].copy()
                    filled, index = shared, index + 1
        last = False
        while not last:
            window[:, filled:] = 0.0
            left = length + lead - index * advance * step
            last = left <= self._frames * step
            yield self._segment(window, index, left if last else advance * step, last=last)
            window[:, :shared] = window[:, advance * step :].copy()
            filled, index = max(filled - advance * step, 0), index + 1

    def _segment(self, window: Samples, index: int, complete: int, *, last: bool) -> Segment:
        spectrum = analyse(window, self._frame, self._step, self._frame // 2 + 1)
        first = 0 if index else self._lead
        return Segment(spectrum, slice(first, max(complete, first)), last)


class Synthesis:
    """Frames of one stem back to samples, by overlap-add.

    Parameters
    ----------
    frame, step
        Samples of a frame, and between two.
    """

    def __init__(self, frame: int, step: int) -> None:
        self._frame, self._step = frame, step
        # Squared periodic Hann windows, frame / step of them, add up to 3/8 of their number.
        scale = 8.0 * step / (3.0 * frame) * (frame / 4.0)
        self._window = hann(frame) * np.float32(scale)
        self._shared = np.zeros((2, frame - step), np.float32)

    def add(self, spectrum: Spectrum, samples: slice) -> Samples:
        """Add frames, complex64 (2, frames, bins); take the samples that are complete now."""
        frames, parts = spectrum.shape[1], self._frame // self._step
        complete = np.empty((2, frames * self._step), np.float32)
        for channel in range(2):
            waves = scipy.fft.irfft(spectrum[channel], n=self._frame, axis=-1)
            waves *= self._window
            blocks = waves.reshape(frames, parts, self._step)
            total = np.zeros((frames + parts - 1, self._step), np.float32)
            total[: parts - 1] = self._shared[channel].reshape(parts - 1, self._step)
            for part in range(parts):
                total[part : part + frames] += blocks[:, part]
            complete[channel] = total[:frames].reshape(-1)
            self._shared[channel] = total[frames:].reshape(-1)
        return complete[:, samples]


def pooled(values: Numbers, groups: tuple[Cells, ...]) -> Numbers:
    """Sum the bins of each cell: (..., bins) to (..., cells)."""
    result = np.empty((*values.shape[:-1], cell_count(groups)), np.float32)
    bin_, cell = 0, 0
    for group in groups:
        bins = group.count * group.bins
        part = values[..., bin_ : bin_ + bins]
        if group.bins > 1:
            part = part.reshape(*part.shape[:-1], group.count, group.bins).sum(axis=-1)
        result[..., cell : cell + group.count] = part
        bin_, cell = bin_ + bins, cell + group.count
    return result


def expanded(masks: Numbers, groups: tuple[Cells, ...], bins: int) -> Numbers:
    """Give every bin its cell's mask; bins above the last cell take the mean of `TOP_CELLS`."""
    result = np.empty((*masks.shape[:-1], bins), masks.dtype)
    bin_, cell = 0, 0
    for group in groups:
        part = masks[..., cell : cell + group.count]
        stop = bin_ + group.count * group.bins
        result[..., bin_:stop] = np.repeat(part, group.bins, axis=-1) if group.bins > 1 else part
        bin_, cell = stop, cell + group.count
    result[..., bin_:] = masks[..., -TOP_CELLS:].mean(axis=-1, keepdims=True)
    return result


def product(a: Spectrum, b: Spectrum) -> Numbers:
    """Real part of a times conjugate b, in one pass over the floats."""
    pairs = np.ascontiguousarray(a).view(np.float32) * np.ascontiguousarray(b).view(np.float32)
    total: Numbers = pairs[..., 0::2] + pairs[..., 1::2]
    return total


def cells(mixture: Spectrum, groups: tuple[Cells, ...]) -> Numbers:
    """What the network takes in: energies of left and right, and the real part of left times conjugate right.

    Parameters
    ----------
    mixture
        complex64 (2, frames, bins): at least the bins of the cells.
    groups
        The cells.

    Returns
    -------
    numpy.ndarray
        float32 (frames, 3, cells).
    """
    left, right = mixture[..., : bin_count(groups)]
    energies = (product(left, left), product(right, right), product(left, right))
    return np.stack([pooled(energy, groups) for energy in energies], axis=1)
