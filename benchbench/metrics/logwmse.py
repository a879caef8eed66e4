"""log-WMSE: a weighted squared error that stays defined when the target is silent."""

from __future__ import annotations

from functools import partial
from importlib.resources import files

import numpy as np
from scipy import fft

from benchbench.metrics.base import Series
from benchbench.metrics.decibel import blank
from benchbench.metrics.evaluation import Errors, Evaluation
from benchbench.metrics.parallel import ordered_map
from benchbench.metrics.references import References
from benchbench.metrics.signals import Blocks, Float64, Signals

__all__ = ["evaluate"]

RATE = 44100
"""Rate of the weighting filter in hertz; other audio is resampled to it."""

SCALE = -4.0
OFFSET = 1e-8
INAUDIBLE = 10.0 ** (-68.0 / 20.0)
"""Weighted errors below this, relative to the mixture's level, count as none."""

_CHUNK = 1 << 17


def evaluate(evaluation: Evaluation) -> list[Series]:
    r"""log-WMSE of each target.

    .. math:: -4 \ln\Big(\operatorname{mean} \big[h * (e - r) / \sigma\big]^2 + 10^{-8}\Big)

    by channel, averaged over channels; h is the weighting filter, sigma the weighted mixture's root
    mean square, and errors below -68 dB are set to zero. The mixture is the sum of the references.
    Source: log-wmse-audio-quality 0.2.0 (Nomono), which rounds to float32 on the way.
    """
    references = evaluation.references
    level = references.kept(("logwmse level",), lambda: _mixture_level(references))
    series = []
    for index, target in enumerate(evaluation.targets):
        error = Errors(evaluation, index)
        scale = np.divide(1.0, level, out=np.zeros_like(level), where=level > 0)
        squares = _mean_square(error, references, scale, INAUDIBLE)
        values = SCALE * np.log(squares + OFFSET)
        series.append(Series(target, "logWMSE", np.atleast_1d(values.mean()), blank((1,))))
    return series


class _Mixture:
    """The sum of the references, by block."""

    def __init__(self, references: References) -> None:
        self.references = references

    @property
    def samples(self) -> int:
        return self.references.samples

    def block(self, start: int, stop: int) -> Float64:
        return np.asarray(self.references.block(start, stop).sum(axis=0, keepdims=True))


def _mixture_level(references: References) -> Float64:
    """Root mean square of the weighted mixture by channel."""
    ones = np.ones(references.channels)
    return np.sqrt(_mean_square(_Mixture(references), references, ones, 0.0))


def _mean_square(
    signal: Blocks, references: References, scale: Float64, threshold: float
) -> Float64:
    """Mean square by channel of a weighted and scaled signal, small samples set to zero."""
    resample = references.sample_rate != RATE
    source = _resampled(signal, references) if resample else signal
    samples = source.samples
    taps = _weighting()
    starts = range(0, samples, _CHUNK)
    bounds = [(start, min(start + _CHUNK, samples)) for start in starts]
    work = partial(_chunk_energy, source, taps, scale, threshold)
    total: Float64 = np.zeros(references.channels)
    for energy in ordered_map(work, bounds, references.threads):
        total = total + energy
    return total / samples


def _chunk_energy(
    source: Blocks,
    taps: Float64,
    scale: Float64,
    threshold: float,
    bounds: tuple[int, int],
) -> Float64:
    start, stop = bounds
    ahead = (len(taps) - 1) // 2  # the filter is centred, as in a convolution of mode "same"
    behind = len(taps) - 1 - ahead
    x = source.block(start - behind, stop + ahead)
    x = x.reshape(-1, x.shape[-1])
    size = fft.next_fast_len(x.shape[1] + len(taps) - 1, real=True)
    weighted = fft.irfft(fft.rfft(x, size) * fft.rfft(taps, size), size)
    weighted = weighted[:, len(taps) - 1 : len(taps) - 1 + stop - start] * scale[:, None]
    weighted[np.abs(weighted) < threshold] = 0.0
    return np.asarray(np.einsum("cn,cn->c", weighted, weighted))


def _resampled(signal: Blocks, references: References) -> Signals:
    import soxr

    whole = signal.block(0, references.samples)[0]
    resampled = soxr.resample(whole.T, references.sample_rate, RATE, quality="HQ").T
    if not resampled.shape[1]:
        resampled = np.zeros((references.channels, 1))
    return Signals({"resampled": resampled}, "estimate")


def _weighting() -> Float64:
    with (files("benchbench.metrics") / "data" / "logwmse_weighting.npy").open("rb") as file:
        return np.asarray(np.load(file), dtype=np.float64)
