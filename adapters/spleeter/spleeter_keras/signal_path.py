"""From waveform to spectrum and back, one segment of 512 frames at a time.

Spleeter pads a song with one frame of silence, cuts it into frames of 4096 samples every
1024, and looks at 512 frames at once. Segments are independent of one another, so only 3072
samples, which the last frames of a segment share with the next, have to be kept between them:
a song of any length takes the memory of one segment.

Transforms are SciPy's, because it keeps float32 where NumPy computes in float64 first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from .architecture import FRAMES

Samples = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]

RATE = 44_100
FRAME = 4096
STEP = 1024
BINS = FRAME // 2 + 1
ADVANCE = FRAMES * STEP
"""Samples by which one segment lies behind the next."""
WINDOW = ADVANCE + FRAME - STEP
"""Samples that a segment's frames cover."""
LEAD = FRAME
"""Samples of silence before the song, so that its start lies under four frames too."""

_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
# Four periodic Hann windows squared, a quarter of a frame apart, sum to 3/2.
_SYNTHESIS = (_HANN * np.float32(2 / 3)).astype(np.float32)
_WORKERS = min(int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1), 8)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a song.

    Parameters
    ----------
    samples
        float32 (channels, `WINDOW`). It is valid until the next segment is asked for.
    complete
        The part of the window's first `ADVANCE` samples that belongs to the song: without
        the silence that leads it in, and without what lies past its end.
    """

    samples: Samples
    complete: slice


def segments(blocks: Iterable[Samples], channels: int) -> Iterator[Segment]:
    """Cut a song that comes in blocks into segments.

    Parameters
    ----------
    blocks
        Consecutive arrays, float32 (channels, any length).
    channels
        Number of channels of the blocks.

    Yields
    ------
    Segment
        At least one; together they cover the song.
    """
    window = np.zeros((channels, WINDOW), np.float32)
    filled, length, index = LEAD, 0, 0
    for block in blocks:
        length += block.shape[1]
        taken = 0
        while taken < block.shape[1]:
            count = min(block.shape[1] - taken, WINDOW - filled)
            window[:, filled : filled + count] = block[:, taken : taken + count]
            taken += count
            filled += count
            if filled == WINDOW:
                yield Segment(window, slice(0 if index else LEAD, ADVANCE))
                index += 1
                filled = _shift(window)
    while index * ADVANCE < length + LEAD:
        window[:, filled:] = 0.0
        stop = min(length + LEAD - index * ADVANCE, ADVANCE)
        yield Segment(window, slice(0 if index else LEAD, stop))
        index += 1
        filled = _shift(window)


def _shift(window: Samples) -> int:
    """Move what the next segment shares to the front; the number of samples moved."""
    shared = WINDOW - ADVANCE
    window[:, :shared] = window[:, ADVANCE:]
    return shared


def analyse(samples: Samples) -> Spectrum:
    """Short-time Fourier transform of a segment.

    Parameters
    ----------
    samples
        float32 (channels, `WINDOW`).

    Returns
    -------
    numpy.ndarray
        complex64 (channels, `FRAMES`, `BINS`), with a periodic Hann window and no scaling.
    """
    spectrum = np.empty((samples.shape[0], FRAMES, BINS), np.complex64)
    for channel, signal in enumerate(samples):
        frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::STEP]
        spectrum[channel] = scipy.fft.rfft(
            frames * _HANN, axis=-1, overwrite_x=True, workers=_WORKERS
        )
    return spectrum


class Synthesis:
    """Overlap-add of one stem's segments.

    Parameters
    ----------
    channels
        Number of channels.
    """

    def __init__(self, channels: int) -> None:
        self._shared = np.zeros((channels, WINDOW - ADVANCE), np.float32)

    def add(self, spectrum: Spectrum) -> Samples:
        """Add the next segment and take what is complete.

        Parameters
        ----------
        spectrum
            complex64 (channels, `FRAMES`, at most `BINS`); bins left out are zero.

        Returns
        -------
        numpy.ndarray
            float32 (channels, `ADVANCE`): the samples that no later frame reaches.
        """
        complete = np.empty((spectrum.shape[0], ADVANCE), np.float32)
        for channel, frames in enumerate(spectrum):
            waves = scipy.fft.irfft(frames, n=FRAME, axis=-1, workers=_WORKERS)
            waves *= _SYNTHESIS
            parts = waves.reshape(FRAMES, FRAME // STEP, STEP)
            total = np.zeros((WINDOW // STEP, STEP), np.float32)
            total[: FRAME // STEP - 1] = self._shared[channel].reshape(-1, STEP)
            for offset in range(FRAME // STEP):
                total[offset : offset + FRAMES] += parts[:, offset]
            flat = total.reshape(-1)
            complete[channel] = flat[:ADVANCE]
            self._shared[channel] = flat[ADVANCE:]
        return complete
