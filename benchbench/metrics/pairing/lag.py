"""Detect estimates that fit their reference much better at another lag; nothing is corrected."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchbench.metrics.base import AudioArray as Audio

__all__ = ["better_lag"]

EXCERPT = 1 << 18
"""Samples around the reference's loudest moment that are compared, about six seconds."""

LARGEST = 1 << 14
"""The largest lag that is searched, in samples: encoders delay by up to about 7000."""

CLEAR = 0.5
"""The least correlation at the better lag."""

GAIN_DB = 3.0
"""How much smaller the error, after the best gain, must be at the better lag."""


def better_lag(estimate: Audio, reference: Audio) -> int | None:
    """The delay of an estimate in samples, where it is clear; negative if it is early.

    Compares the normalised cross-correlation of six seconds at all lags of up to 16384 samples
    with that at lag 0.

    Parameters
    ----------
    estimate, reference
        Arrays of shape (channels, samples); channels are averaged.

    Returns
    -------
    The lag in samples, or None where lag 0 is as good or no lag fits.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).standard_normal((1, 50000))
    >>> better_lag(np.roll(noise, 1024, axis=1), noise), better_lag(noise, noise)
    (1024, None)
    """
    samples = min(estimate.shape[1], reference.shape[1])
    start = _loudest(reference, samples)
    stop = min(start + EXCERPT, samples)
    true = np.asarray(reference[:, start:stop], np.float64).mean(axis=0)
    heard = np.zeros(stop - start + 2 * LARGEST)
    first = max(start - LARGEST, 0)
    part = np.asarray(estimate[:, first : stop + LARGEST], np.float64).mean(axis=0)
    heard[LARGEST - (start - first) :][: len(part)] = part
    if not true.any() or not heard.any():
        return None
    correlation = _normalised(heard, true)
    best = int(np.argmax(np.abs(correlation)))
    errors = 1 - np.minimum(correlation[[LARGEST, best]] ** 2, 1 - 1e-9)
    if abs(correlation[best]) < CLEAR or 10 * np.log10(errors[0] / errors[1]) < GAIN_DB:
        return None
    return best - LARGEST


def _loudest(reference: Audio, samples: int) -> int:
    """Where the loudest excerpt begins, in steps of half an excerpt."""
    starts = range(0, max(samples - EXCERPT, 0) + 1, EXCERPT // 2)
    energies = [float(np.square(reference[:, s : s + EXCERPT]).sum()) for s in starts]
    return starts[int(np.argmax(energies))]


def _normalised(
    heard: npt.NDArray[np.float64], true: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Correlation of `true` with each segment of its length in `heard`, between -1 and 1."""
    length = _fast_length(len(heard))  # valid lags do not wrap around
    spectrum = np.fft.rfft(heard, length) * np.fft.rfft(true, length).conj()
    products = np.fft.irfft(spectrum, length)[: len(heard) - len(true) + 1]
    sums = np.concatenate([[0.0], np.cumsum(heard**2)])
    energy = sums[len(true) :] - sums[: -len(true)]
    scale = np.sqrt(np.maximum(energy, 1e-12 * sums[-1]) * np.sum(true**2))
    result: npt.NDArray[np.float64] = products / scale
    return result


def _fast_length(least: int) -> int:
    """The smallest odd * 2^k, for a few odd factors, that is not below `least`: a fast FFT.

    NumPy is used, because the import of scipy.fft takes longer than scoring a short excerpt.
    """
    return min(odd << max(0, (-(-least // odd) - 1).bit_length()) for odd in (1, 3, 5, 9, 15))
