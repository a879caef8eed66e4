"""A multichannel Wiener filter over a whole song, in two passes and constant memory.

It computes what ``norbert.wiener(estimates, mixture)`` computes for stereo (soft masks, then
one step of expectation maximization), but a segment at a time: only the spatial covariance of
each stem in each frequency bin depends on the whole song, and that is a running sum.

For stem j, with soft-masked spectra y_j and power p_j = mean over channels of |y_j|^2::

    R_j = sum_t y_j y_j^H / (eps + sum_t p_j)                       (first pass)
    s_j = p_j R_j (sum_k p_k R_k + sqrt(eps) I)^-1 x                (second pass)

Source: Uhlich et al., "Improving music source separation based on deep neural networks
through data augmentation and network blending", ICASSP 2017; the normalization of the mixture
by a tenth of its peak is norbert's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Magnitudes = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]

EPSILON = float(np.finfo(np.float32).eps)
BATCH = 64
"""Frames filtered at once; it bounds the memory of the double-precision temporaries."""


class _Hermitian(NamedTuple):
    """2x2 Hermitian matrices, one a stem and bin: arrays (stems, bins)."""

    left: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    cross: npt.NDArray[np.complex128]


class SpatialModel:
    """The running sums of the first pass.

    Parameters
    ----------
    stems
        Number of stems.
    bins
        Number of frequency bins.
    """

    def __init__(self, stems: int, bins: int) -> None:
        self._sums = _Hermitian(
            np.zeros((stems, bins)),
            np.zeros((stems, bins)),
            np.zeros((stems, bins), np.complex128),
        )
        self._power = np.zeros((stems, bins))
        self._peak = 0.0

    def observe(self, estimates: Magnitudes, spectrum: Spectrum, peak: float) -> None:
        """Take in the next segment.

        Parameters
        ----------
        estimates
            Estimated magnitudes, float32 (stems, 2, frames, bins).
        spectrum
            The mixture, complex64 (2, frames, bins).
        peak
            Largest magnitude of the mixture, bins above those of `spectrum` included.
        """
        self._peak = max(self._peak, peak)
        for first in range(0, spectrum.shape[1], BATCH):
            frames = slice(first, first + BATCH)
            masked = _soft_masked(estimates[:, :, frames], spectrum[:, frames])
            left, right = masked[:, 0], masked[:, 1]
            self._sums.left[:] += _power(left).sum(axis=1)
            self._sums.right[:] += _power(right).sum(axis=1)
            self._sums.cross[:] += (left * right.conj()).sum(axis=1)
            self._power += (0.5 * (_power(left) + _power(right))).sum(axis=1)

    def fit(self) -> SpatialFilter:
        """The filter of the second pass."""
        scale = max(1.0, self._peak / 10.0)
        weight = EPSILON * scale**2 + self._power
        left, right, cross = self._sums
        return SpatialFilter(_Hermitian(left / weight, right / weight, cross / weight), scale)


class SpatialFilter:
    """The filter of the second pass.

    Parameters
    ----------
    covariances
        Of each stem and bin.
    scale
        What the mixture is divided by before the regularization counts.
    """

    def __init__(self, covariances: _Hermitian, scale: float) -> None:
        left, right, cross = covariances
        # A frames axis, to multiply with (stems, frames, bins).
        self._covariances = _Hermitian(left[:, None], right[:, None], cross[:, None])
        self._scale = scale

    def apply(self, estimates: Magnitudes, spectrum: Spectrum) -> list[Spectrum]:
        """Filter a segment.

        Parameters
        ----------
        estimates, spectrum
            As in `SpatialModel.observe`.

        Returns
        -------
        list
            For each stem complex64 (2, frames, bins).
        """
        filtered = np.empty((estimates.shape[0], *spectrum.shape), np.complex64)
        for first in range(0, spectrum.shape[1], BATCH):
            frames = slice(first, first + BATCH)
            filtered[:, :, frames] = self._batch(estimates[:, :, frames], spectrum[:, frames])
        return list(filtered)

    def _batch(self, estimates: Magnitudes, spectrum: Spectrum) -> npt.NDArray[np.complex128]:
        masked = _soft_masked(estimates, spectrum)
        power = _power(masked).mean(axis=1) / self._scale**2
        of_left, of_right, across = self._covariances
        mixed_left = (power * of_left).sum(axis=0) + np.sqrt(EPSILON)
        mixed_right = (power * of_right).sum(axis=0) + np.sqrt(EPSILON)
        mixed_across = (power * across).sum(axis=0)
        determinant = mixed_left * mixed_right - _power(mixed_across)
        left, right = spectrum
        white_left = (mixed_right * left - mixed_across * right) / determinant
        white_right = (mixed_left * right - mixed_across.conj() * left) / determinant
        return np.stack(
            [
                power * (of_left * white_left + across * white_right),
                power * (across.conj() * white_left + of_right * white_right),
            ],
            axis=1,
        )


def _soft_masked(estimates: Magnitudes, spectrum: Spectrum) -> npt.NDArray[np.complex128]:
    """The mixture shared out by magnitude: (stems, 2, frames, bins)."""
    total = estimates.sum(axis=0, dtype=np.float64)
    masked: npt.NDArray[np.complex128] = estimates / (EPSILON + total) * spectrum
    return masked


def _power(spectrum: npt.NDArray[np.complex128]) -> npt.NDArray[np.float64]:
    return spectrum.real**2 + spectrum.imag**2
