"""log-WMSE: a weighted squared error that stays defined when the target is silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

import numpy as np
import numpy.typing as npt
from scipy import fft

from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.base import Series
from benchbench.metrics.decibel import beside, blank, masked
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.references import References
from benchbench.metrics.signals import Blocks, Float64

__all__ = ["evaluate", "score"]

RATE = 44100
"""Rate of the weighting filter in hertz; other audio is resampled to it."""

SCALE = -4.0
OFFSET = 1e-8
INAUDIBLE = 10.0 ** (-68.0 / 20.0)
"""Weighted errors below this, relative to the mixture's level, count as zero."""

_TRANSFORM = 1 << 15
"""Length of the transforms: one channel fits the cache, and the filter is an eighth as long."""

_BLOCK = 1 << 14
"""Samples that are resampled at a time."""


def evaluate(evaluation: Evaluation) -> list[Series]:
    r"""log-WMSE of each target.

    .. math:: -4 \ln\Big(\operatorname{mean} \big[h * (e - r) / \sigma\big]^2 + 10^{-8}\Big)

    by channel, averaged over channels; h is the weighting filter, sigma the weighted mixture's root
    mean square, and errors below -68 dB are set to zero. The mixture is that of the references, or
    else their sum. A silent mixture has no level to compare an error with, so there is no value
    (``silent_mixture``).
    Source: log-wmse-audio-quality 0.2.0 (Nomono), which rounds to float32 on the way.
    """
    references = evaluation.references
    if not evaluation.targets:
        return []
    rate, gain = references.sample_rate, _gain(references)
    level = references.kept(
        ("logwmse level",),
        lambda: _level(_Raised(_Mixture(references), gain), rate, references.threads),
    )
    scale = np.divide(1.0, level, out=np.ones_like(level), where=level > 0)
    errors = _Raised(evaluation.errors, gain)
    squares = _mean_squares(errors, rate, scale, INAUDIBLE, references.threads)
    noise_alone = np.asarray((squares > 0.0)[:, level == 0.0].any(axis=1))
    values = (SCALE * np.log(squares + OFFSET)).mean(axis=1)
    values, reasons = masked(values, blank(values.shape), noise_alone, "silent_mixture")
    reasons = beside(reasons, np.full(values.shape, not level.any()), "silent_mixture")
    return [
        Series(target, "logWMSE", values[index : index + 1], reasons[index : index + 1])
        for index, target in enumerate(evaluation.targets)
    ]


def score(evaluation: Evaluation, index: int, *, rate: int, samples: int) -> float:
    """log-WMSE of one target as torch-log-wmse 0.3.1 defines it.

    Parameters
    ----------
    index
        Index of the target.
    rate
        The assumed sample rate of the audio, in hertz.
    samples
        Number of samples that count, from the start.

    Returns
    -------
    float
        Finite even where the mixture is silent: 1e-8 is added to its level.
    """
    references = evaluation.references
    level = references.kept(
        ("logwmse level", rate, samples),
        lambda: _level(_Cut(_Mixture(references), samples), rate, references.threads),
    )
    error = _Cut(_OneError(evaluation, index), samples)
    squares = _mean_squares(error, rate, 1.0 / (level + OFFSET), INAUDIBLE, references.threads)
    return float((SCALE * np.log(squares + OFFSET)).mean())


@dataclass(frozen=True, slots=True)
class _Mixture:
    """The mixture of the references, or their sum, by block."""

    references: References

    @property
    def samples(self) -> int:
        """Length in samples."""
        return self.references.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (1, channels, stop - start)."""
        if self.references.mixture is not None:
            return self.references.mixture.block(start, stop)
        total = self.references.stem(0, start, stop)
        for index in range(1, len(self.references.names)):
            total += self.references.stem(index, start, stop)
        return total[None]


@dataclass(frozen=True, slots=True)
class _OneError:
    """The error of one target, by block."""

    evaluation: Evaluation
    index: int

    @property
    def samples(self) -> int:
        """Length in samples."""
        return self.evaluation.references.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (1, channels, stop - start)."""
        error = self.evaluation.estimates.stem(self.index, start, stop)
        row = int(self.evaluation.rows[self.index])
        error -= self.evaluation.references.stem(row, start, stop)
        return error[None]


def _gain(references: References) -> float:
    """A power of two that brings the references near full scale, for the 32-bit resampler.

    The metric is relative to the mixture, so it does not depend on the gain. It is 1 for ordinary
    levels.
    """
    loudest = max(references.peak(index) for index in range(len(references.names)))
    if loudest == 0.0 or 1e-6 < loudest < 1e6:
        return 1.0
    return float(2.0 ** -np.round(np.log2(loudest)))


@dataclass(frozen=True, slots=True)
class _Raised:
    """Signals multiplied by a gain."""

    signals: Blocks
    gain: float

    @property
    def samples(self) -> int:
        """Length in samples."""
        return self.signals.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (stems, channels, stop - start)."""
        block = self.signals.block(start, stop)
        block *= self.gain
        return block


@dataclass(frozen=True, slots=True)
class _Cut:
    """Signals with zeros from `samples` on."""

    signals: Blocks
    samples: int

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (stems, channels, stop - start)."""
        block = self.signals.block(start, stop)
        block[..., max(0, self.samples - start) :] = 0.0
        return block


def _level(mixture: Blocks, rate: int, threads: int) -> Float64:
    """Root mean square of the weighted mixture by channel."""
    ones = np.ones(mixture.block(0, 0).shape[1])
    return np.asarray(np.sqrt(_mean_squares(mixture, rate, ones, 0.0, threads)[0]))


def _mean_squares(
    signals: Blocks, rate: int, scale: Float64, threshold: float, threads: int
) -> Float64:
    """Mean squares of weighted and scaled signals, small samples set to zero.

    Returns
    -------
    float64 array of shape (stems, channels)
    """
    taps = _weighting()
    weighting = _Weighting(len(taps), fft.rfft(taps, _TRANSFORM))
    cut = _windows if rate == RATE else _resampled_windows
    samples = 0

    def counted() -> Iterator[_Window]:
        nonlocal samples
        for window in cut(signals, rate, weighting):
            samples += window.samples
            yield window

    work = partial(_window_energy, weighting, scale, threshold)
    return np.asarray(sum(ordered_map(work, counted(), threads)) / samples)


@dataclass(frozen=True, slots=True)
class _Weighting:
    """Number of taps and spectrum, shape (_TRANSFORM // 2 + 1,), of the weighting filter."""

    taps: int
    spectrum: npt.NDArray[np.complex128]

    @property
    def ahead(self) -> int:
        """Number of later samples that a value depends on; the filter is centred (mode "same")."""
        return (self.taps - 1) // 2

    @property
    def behind(self) -> int:
        """Number of earlier samples that a value depends on."""
        return self.taps - 1 - self.ahead

    @property
    def hop(self) -> int:
        """Samples that one transform weights: its length without the filter's overlap."""
        return _TRANSFORM - self.taps + 1


@dataclass(frozen=True, slots=True)
class _Window:
    """The number of samples that are weighted at a time, and a function that reads their input.

    `read` returns float64 of shape (stems, channels, _TRANSFORM), from `_Weighting.behind` samples
    before the first one, zeros beyond the ends of the track.
    """

    samples: int
    read: Callable[[], Float64]


def _windows(signals: Blocks, rate: int, weighting: _Weighting) -> Iterator[_Window]:  # noqa: ARG001
    for start in range(0, signals.samples, weighting.hop):
        first = start - weighting.behind
        read = partial(signals.block, first, first + _TRANSFORM)
        yield _Window(min(weighting.hop, signals.samples - start), read)


def _resampled_windows(signals: Blocks, rate: int, weighting: _Weighting) -> Iterator[_Window]:
    """Windows of the signals at `RATE`, in order; little more than one is in memory."""
    parts = _resampled(signals, rate)
    held = next(parts)
    stems, channels, _ = held.shape
    held = np.concatenate([np.zeros((stems, channels, weighting.behind)), held], axis=2)
    for part in parts:
        held = np.concatenate([held, part], axis=2)
        while held.shape[2] >= _TRANSFORM:
            yield _Window(weighting.hop, partial(_padded, held))
            held = held[..., weighting.hop :]
    left = max(1, held.shape[2] - weighting.behind)  # such a short track is one silent sample
    for start in range(0, left, weighting.hop):
        yield _Window(min(weighting.hop, left - start), partial(_padded, held[..., start:]))


def _padded(held: Float64) -> Float64:
    out = np.zeros((*held.shape[:2], _TRANSFORM))
    part = held[..., :_TRANSFORM]
    out[..., : part.shape[2]] = part
    return out


def _resampled(signals: Blocks, rate: int) -> Iterator[Float64]:
    """The signals at `RATE`, in blocks of any length, as if resampled in one piece."""
    import soxr

    stems, channels, _ = signals.block(0, 0).shape
    stream = soxr.ResampleStream(rate, RATE, stems * channels, dtype="float64", quality="HQ")
    for start in range(0, signals.samples, _BLOCK):
        stop = min(start + _BLOCK, signals.samples)
        block = signals.block(start, stop).reshape(stems * channels, -1)
        out = stream.resample_chunk(np.ascontiguousarray(block.T), last=stop == signals.samples)
        yield np.asarray(out, dtype=np.float64).T.reshape(stems, channels, -1)


def _window_energy(
    weighting: _Weighting, scale: Float64, threshold: float, window: _Window
) -> Float64:
    """Energies of one window, shape (stems, channels)."""
    x = window.read()
    first, last = weighting.taps - 1, weighting.taps - 1 + window.samples
    energies = np.empty(x.shape[:2])
    for at in np.ndindex(energies.shape):
        spectrum = fft.rfft(x[at])
        spectrum *= weighting.spectrum
        # The circular convolution wraps into the first taps - 1 samples only.
        weighted = fft.irfft(spectrum, _TRANSFORM, overwrite_x=True)[first:last]
        weighted *= scale[at[1]]
        weighted[np.abs(weighted) < threshold] = 0.0
        energies[at] = np.vdot(weighted, weighted)
    return energies


def _weighting() -> Float64:
    with (files("benchbench.metrics") / "data" / "logwmse_weighting.npy").open("rb") as file:
        return np.asarray(np.load(file), dtype=np.float64)
