r"""Correlations at short lags: all statistics of the audio that BSS Eval needs.

For signals x (the references) and y (references or estimates) on a segment, the lag statistics are

.. math:: R_{xy}(l) = \sum_n x(n - l)\, y(n), \qquad 0 \le l < L,

with zeros outside the segment. The references' own statistics are the Gram matrix of their delayed
copies (it is block Toeplitz), those with an estimate are the right-hand side of the projection, and
the energy of any filtered sum of references is a quadratic form in them.

A segment is cut into blocks; the product of a block's spectrum and that of the same block with
L - 1 samples of history is summed over the blocks before the single inverse transform.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numpy import fft
from numpy.lib.stride_tricks import sliding_window_view

from benchbench.metrics.arrays.fast_length import fast_length
from benchbench.metrics.signals import Float64

__all__ = ["Spectra", "block_spectra", "correlate", "history_spectra", "spectra_bytes"]

Spectra: TypeAlias = npt.NDArray[np.complex128]

_FFT_PER_LAG = 4
"""Transform length in units of the number of lags: the fastest of 2 to 8 for 512 lags."""


def history_spectra(x: Float64, lags: int) -> Spectra:
    """Conjugate spectra of the blocks of `x`, each with the ``lags - 1`` samples that precede it.

    Parameters
    ----------
    x
        Shape (signals, samples); samples before the first one count as zero.

    Returns
    -------
    Array of shape (frequencies, signals, blocks)
    """
    size, block, blocks = _sizes(x.shape[1], lags)
    padded = _padded(x, lags - 1, blocks * block)
    buffer = np.zeros((len(x), blocks, size))
    views = sliding_window_view(padded, block + lags - 1, axis=1)[:, ::block]
    buffer[..., : block + lags - 1] = views
    spectra = fft.rfft(buffer)
    np.conj(spectra, out=spectra)
    return np.ascontiguousarray(spectra.transpose(2, 0, 1))


def block_spectra(y: Float64, lags: int) -> Spectra:
    """Spectra of the blocks of `y`, the counterpart of `history_spectra`.

    Returns
    -------
    Array of shape (frequencies, blocks, signals)
    """
    size, block, blocks = _sizes(y.shape[1], lags)
    buffer = np.zeros((len(y), blocks, size))
    whole, rest = divmod(y.shape[1], block)
    buffer[:, :whole, :block] = y[:, : whole * block].reshape(len(y), whole, block)
    if rest:
        buffer[:, whole, :rest] = y[:, whole * block :]
    return np.ascontiguousarray(fft.rfft(buffer).transpose(2, 0, 1)).swapaxes(1, 2)


def correlate(history: Spectra, blocks: Spectra, samples: int, lags: int) -> Float64:
    """Lag statistics of one segment of `samples` samples.

    Returns
    -------
    float64 array of shape (lags, signals of x, signals of y)
    """
    size, _, _ = _sizes(samples, lags)
    product = history @ blocks
    np.conj(product, out=product)
    # The circular correlation puts the lag l at index lags - 1 - l and wraps beyond `lags`.
    return np.asarray(fft.irfft(product, size, axis=0)[lags - 1 :: -1])


def straddle(before: Float64, after: Float64, lags: int) -> Float64:
    """The products of the lag statistics that cross the border of two neighbouring segments.

    Parameters
    ----------
    before
        The last samples of x before the border, shape (signals, up to lags - 1).
    after
        The first samples of y after the border, shape (signals, up to lags - 1).

    Returns
    -------
    float64 array of shape (lags, signals of x, signals of y)
    """
    head = np.zeros((len(after), lags - 1))
    head[:, : after.shape[1]] = after
    padded = np.zeros((len(before), 2 * lags))
    padded[:, lags - 1 - before.shape[1] : lags - 1] = before
    product = fft.rfft(padded)[:, None] * np.conj(fft.rfft(head, 2 * lags))
    return np.moveaxis(fft.irfft(product)[..., lags - 1 :: -1], -1, 0)


def spectra_bytes(samples: int, signals: int, lags: int) -> int:
    """Memory of the `history_spectra` of one segment."""
    size, _, blocks = _sizes(samples, lags)
    return (size // 2 + 1) * signals * blocks * 16


def _sizes(samples: int, lags: int) -> tuple[int, int, int]:
    """Transform length, block length and number of blocks of a segment."""
    longest = _FFT_PER_LAG * lags - lags + 1
    blocks = -(-samples // longest)
    block = -(-samples // blocks)
    return fast_length(block + lags - 1), block, blocks


def _padded(x: Float64, before: int, samples: int) -> Float64:
    out = np.zeros((len(x), before + samples))
    out[:, before : before + x.shape[1]] = x
    return out
