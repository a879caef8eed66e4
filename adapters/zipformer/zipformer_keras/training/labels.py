"""What clean stems say of each frame: the voice's pitch, and which stems sound.

The pitch is YIN's (de Cheveigne & Kawahara, JASA 2002): the lag at which the difference of a signal and its
shifted self, divided by its mean over all smaller lags, first falls below a threshold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.signal import resample_poly

from ..pitches import LOWEST_HZ, PER_OCTAVE, PITCHES, RATE
from ..spectrum import Samples

WINDOW = 1024
"""Samples that are compared at half of the sampling rate, 46 ms."""
THRESHOLD = 0.15
"""Of the normalised difference; higher finds more voice and more errors."""
SILENT_DB, QUIET_DB = -60.0, -45.0
"""A frame counts as silent below the first, of full scale, or the second, of the stem's loudest frame."""
SMALL = 1e-9

Numbers = npt.NDArray[np.floating]


def pitch(samples: Samples, frame: int, step: int) -> npt.NDArray[np.float64]:
    """A voice's fundamental frequency in Hz by frame, 0 where there is none, (frames,).

    Parameters
    ----------
    samples
        float32 (2, samples) at 44.1 kHz: one voice alone.
    frame, step
        Samples of a frame, and between two. The pitch is that of a frame's middle.
    """
    half = resample_poly(samples.mean(axis=0, dtype=np.float64), 1, 2)
    rate = RATE / 2
    longest = int(np.ceil(rate / LOWEST_HZ)) + 2
    shortest = int(rate / (LOWEST_HZ * 2 ** (PITCHES / PER_OCTAVE)))
    frames = max((samples.shape[1] - frame) // step + 1, 0)
    middles = (np.arange(frames) * step + frame // 2) // 2
    size = WINDOW + longest
    padded = np.pad(half, (size, size))
    starts = middles + size - size // 2
    pieces = padded[starts[:, None] + np.arange(size)]
    difference = _difference(pieces, longest)
    lags = np.arange(1, longest + 1)
    mean = np.cumsum(difference[:, 1:], axis=1) / lags
    normal = np.ones((frames, longest + 1))
    heard = mean > SMALL
    normal[:, 1:][heard] = (difference[:, 1:] / np.maximum(mean, SMALL))[heard]
    return np.array([_frequency(row, shortest, rate) for row in normal])


def _difference(pieces: Numbers, longest: int) -> Numbers:
    """Sum over `WINDOW` samples of the squared difference to the piece shifted by 0 to `longest`."""
    size = pieces.shape[1]
    length = scipy.fft.next_fast_len(size + WINDOW, real=True)
    first = scipy.fft.rfft(pieces[:, :WINDOW], length)
    whole = scipy.fft.rfft(pieces, length)
    shared = scipy.fft.irfft(np.conj(first) * whole, length)[:, : longest + 1]
    sums = np.cumsum(np.pad(np.square(pieces), ((0, 0), (1, 0))), axis=1)
    energies = sums[:, WINDOW : WINDOW + longest + 1] - sums[:, : longest + 1]
    difference: Numbers = np.maximum(energies[:, :1] + energies - 2.0 * shared, 0.0)
    return difference


def _frequency(normal: Numbers, shortest: int, rate: float) -> float:
    """The frequency of the first dip below the threshold, refined by a parabola; 0: there is none."""
    below = np.flatnonzero(normal[shortest:-1] < THRESHOLD)
    if not below.size:
        return 0.0
    lag = shortest + int(below[0])
    while lag + 1 < normal.size - 1 and normal[lag + 1] < normal[lag]:
        lag += 1
    before, here, after = normal[lag - 1 : lag + 2]
    bend = before - 2.0 * here + after
    shift = 0.5 * (before - after) / bend if bend > SMALL else 0.0
    return float(rate / (lag + np.clip(shift, -0.5, 0.5)))


def activity(samples: Samples, frame: int, step: int) -> npt.NDArray[np.bool_]:
    """Whether a stem sounds in each frame, (frames,).

    Parameters
    ----------
    samples
        float32 (2, samples).
    frame, step
        Samples of a frame, and between two; the middle half of a frame counts.
    """
    squares = np.square(samples, dtype=np.float64).mean(axis=0)
    sums = np.concatenate([[0.0], np.cumsum(squares)])
    frames = max((samples.shape[1] - frame) // step + 1, 0)
    begin = np.arange(frames) * step + frame // 4
    level = 10.0 * np.log10((sums[begin + frame // 2] - sums[begin]) / (frame // 2) + 1e-12)
    if not frames:
        return np.zeros(0, bool)
    sounding: npt.NDArray[np.bool_] = level > max(SILENT_DB, float(level.max()) + QUIET_DB)
    return sounding
