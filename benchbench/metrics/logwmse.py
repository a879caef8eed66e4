"""log-WMSE: a weighted squared error that stays defined when the target is silent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.resources import files

import numpy as np
import numpy.typing as npt
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

_TRANSFORM = 1 << 15
"""Length of the transforms: one channel's stays in cache, and the filter is an eighth of it."""


def evaluate(evaluation: Evaluation) -> list[Series]:
    r"""log-WMSE of each target.

    .. math:: -4 \ln\Big(\operatorname{mean} \big[h * (e - r) / \sigma\big]^2 + 10^{-8}\Big)

    by channel, averaged over channels; h is the weighting filter, sigma the weighted mixture's root
    mean square, and errors below -68 dB are set to zero. The mixture is the sum of the references.
    Source: log-wmse-audio-quality 0.2.0 (Nomono), which rounds to float32 on the way.
    """
    references = evaluation.references
    if not evaluation.targets:
        return []
    level = references.kept(("logwmse level",), lambda: _mixture_level(references))
    scale = np.divide(1.0, level, out=np.zeros_like(level), where=level > 0)
    if references.sample_rate == RATE:
        squares = _mean_squares(evaluation.errors, references, scale, INAUDIBLE)
    else:  # one after the other, for a resampled signal is held whole
        errors = [Errors(evaluation, index) for index in range(len(evaluation.targets))]
        found = [_mean_squares(error, references, scale, INAUDIBLE) for error in errors]
        squares = np.concatenate(found)
    values = (SCALE * np.log(squares + OFFSET)).mean(axis=1)
    return [
        Series(target, "logWMSE", values[index : index + 1], blank((1,)))
        for index, target in enumerate(evaluation.targets)
    ]


class _Mixture:
    """The sum of the references, by block."""

    def __init__(self, references: References) -> None:
        self.references = references

    @property
    def samples(self) -> int:
        return self.references.samples

    def block(self, start: int, stop: int) -> Float64:
        total = self.references.stem(0, start, stop)
        for index in range(1, len(self.references.names)):
            total += self.references.stem(index, start, stop)
        return total[None]


def _mixture_level(references: References) -> Float64:
    """Root mean square of the weighted mixture by channel."""
    ones = np.ones(references.channels)
    return np.asarray(np.sqrt(_mean_squares(_Mixture(references), references, ones, 0.0)[0]))


def _mean_squares(
    signals: Blocks, references: References, scale: Float64, threshold: float
) -> Float64:
    """Mean squares of weighted and scaled signals, small samples set to zero.

    Returns
    -------
    float64 array of shape (stems, channels)
    """
    resample = references.sample_rate != RATE
    source = _resampled(signals, references) if resample else signals
    samples = source.samples
    taps = _weighting()
    weighting = _Weighting(len(taps), fft.rfft(taps, _TRANSFORM))
    hop = _TRANSFORM - len(taps) + 1
    bounds = [(start, min(start + hop, samples)) for start in range(0, samples, hop)]
    work = partial(_chunk_energy, source, weighting, scale, threshold)
    return np.asarray(sum(ordered_map(work, bounds, references.threads)) / samples)


@dataclass(frozen=True, slots=True)
class _Weighting:
    """Number of taps and spectrum, shape (_TRANSFORM // 2 + 1,), of the weighting filter."""

    taps: int
    spectrum: npt.NDArray[np.complex128]


def _chunk_energy(
    source: Blocks,
    weighting: _Weighting,
    scale: Float64,
    threshold: float,
    bounds: tuple[int, int],
) -> Float64:
    """Energies of one chunk, shape (stems, channels)."""
    start, stop = bounds
    ahead = (weighting.taps - 1) // 2  # the filter is centred, as in a convolution of mode "same"
    behind = weighting.taps - 1 - ahead
    x = source.block(start - behind, start - behind + _TRANSFORM)
    x[..., stop + ahead - (start - behind) :] = 0.0
    energies = np.empty(x.shape[:2])
    for at in np.ndindex(energies.shape):
        spectrum = fft.rfft(x[at])
        spectrum *= weighting.spectrum
        # The circular convolution wraps into the first taps - 1 samples only.
        weighted = fft.irfft(spectrum, _TRANSFORM, overwrite_x=True)
        weighted = weighted[weighting.taps - 1 : weighting.taps - 1 + stop - start]
        weighted *= scale[at[1]]
        weighted[np.abs(weighted) < threshold] = 0.0
        energies[at] = np.vdot(weighted, weighted)
    return energies


def _resampled(signal: Blocks, references: References) -> Signals:
    import soxr

    (whole,) = signal.block(0, references.samples)
    resampled = soxr.resample(whole.T, references.sample_rate, RATE, quality="HQ").T
    if not resampled.shape[1]:
        resampled = np.zeros((references.channels, 1))
    return Signals({"resampled": resampled}, "estimate")


def _weighting() -> Float64:
    with (files("benchbench.metrics") / "data" / "logwmse_weighting.npy").open("rb") as file:
        return np.asarray(np.load(file), dtype=np.float64)
