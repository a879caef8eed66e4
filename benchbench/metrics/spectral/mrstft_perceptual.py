"""Multi-resolution spectral loss of A-weighted audio, with auraloss's definitions.

For each of five window lengths from 256 to 4096 samples: spectral convergence plus the mean
distance of the logarithms of the magnitudes, after an A-weighting filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy import signal

from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.base import Series
from benchbench.metrics.decibel import blank
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.signals import Float64
from benchbench.metrics.spectral.pair import Pair
from benchbench.metrics.spectral.stft import Stft, mirrored

__all__ = ["RESOLUTIONS", "a_weighting", "evaluate"]

RESOLUTIONS = tuple(Stft(size, size // 4) for size in (256, 512, 1024, 2048, 4096))
TAPS = 101
AMPLITUDE_FLOOR = 1e-4
"""Floor of magnitudes: the square root of the floor of powers, 1e-8."""

_LONGEST = RESOLUTIONS[-1]
_CHUNK = 1 << 17
"""Length of a segment in samples, a multiple of every hop."""

_BATCH = 1 << 17


def evaluate(evaluation: Evaluation) -> list[Series]:
    """The loss of each target, 0 for equal spectrograms.

    The spectrograms of all channels are taken as one. A reference that is silent (no magnitude
    above the floor) has no value, since the difference is divided by its spectrogram
    (``silent_reference``). A track that is not longer than half the longest window has none either
    (``too_short``).

    Source: C. Steinmetz, J. Reiss, "auraloss: Audio focused loss functions in PyTorch", DMRN+15
    (2020), ``MultiResolutionSTFTLoss(perceptual_weighting=True)``.
    """
    series = []
    for index, target in enumerate(evaluation.targets):
        value, reason = _loss(evaluation, index)
        reasons = blank((1,))
        reasons[0] = reason
        series.append(Series(target, "MR-STFT", np.array([value]), reasons))
    return series


def _loss(evaluation: Evaluation, index: int) -> tuple[float, str | None]:
    references = evaluation.references
    samples = references.samples
    if not _LONGEST.fits(samples):
        return float("nan"), "too_short"
    weighted = _Weighted(Pair(evaluation, index), a_weighting(references.sample_rate))
    bounds = [(start, min(start + _CHUNK, samples + 1)) for start in range(0, samples + 1, _CHUNK)]
    parts = ordered_map(partial(_sums, weighted), bounds, references.threads)
    total = np.sum(list(parts), axis=0)
    cells = [stft.frames(samples) * stft.bins * references.channels for stft in RESOLUTIONS]
    if total[-1, 1] <= cells[-1] * AMPLITUDE_FLOOR**2 * (1.0 + 1e-9):
        return float("nan"), "silent_reference"
    losses = [
        np.sqrt(squared / reference) + logarithmic / count
        for (squared, reference, logarithmic), count in zip(total, cells, strict=True)
    ]
    return float(np.mean(losses)), None


@dataclass(frozen=True, slots=True)
class _Weighted:
    """A pair of signals after the A-weighting filter; zeros beyond the ends."""

    pair: Pair
    taps: tuple[float, ...]

    @property
    def samples(self) -> int:
        """Length of the track in samples."""
        return self.pair.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (2, channels, stop - start)."""
        reach = TAPS // 2
        audio = self.pair.block(start - reach, stop + reach)
        out = np.asarray(signal.oaconvolve(audio, np.array(self.taps)[None, None], "valid", axes=2))
        out[..., : max(0, -start)] = 0.0
        out[..., max(0, self.samples - start) :] = 0.0
        return out


def _sums(weighted: _Weighted, bounds: tuple[int, int]) -> Float64:
    """Sums over the frames centred in a segment, shape (resolutions, 3).

    Energy of the difference, energy of the reference, absolute difference of the logarithms.
    """
    start, stop = bounds
    reach = _LONGEST.size // 2
    stretch = mirrored(weighted, start - reach, stop - 1 + reach)
    total = np.zeros((len(RESOLUTIONS), 3))
    for sums, stft in zip(total, RESOLUTIONS, strict=True):
        last = (stop - 1) // stft.hop * stft.hop
        block = stretch[..., reach - stft.size // 2 : last - start + reach + stft.size // 2]
        for spectra in stft.batches(block, _BATCH):
            magnitudes = np.abs(spectra)
            reference, estimate = np.maximum(magnitudes, AMPLITUDE_FLOOR, out=magnitudes)
            difference = estimate - reference
            sums[0] += np.vdot(difference, difference)
            sums[1] += np.vdot(reference, reference)
            logs = np.log(np.divide(estimate, reference, out=difference), out=difference)
            sums[2] += np.abs(logs, out=logs).sum()
    return total


@cache
def a_weighting(sample_rate: int) -> tuple[float, ...]:
    """A linear-phase filter of 101 taps with the magnitude of A-weighting (IEC 61672).

    The analogue filter is converted to the sampling rate by the bilinear transform, and its
    magnitude at 512 frequencies is fitted by least squares, as auraloss does.
    """
    poles_hz = (20.598997, 107.65265, 737.86223, 12194.217)
    gain = 10.0 ** (1.9997 / 20.0)
    low, second, third, high = (2.0 * np.pi * pole for pole in poles_hz)
    numerator = [high**2 * gain, 0.0, 0.0, 0.0, 0.0]
    denominator = np.poly([-high, -high, -low, -low, -third, -second])
    digital = signal.bilinear(numerator, denominator, fs=sample_rate)
    frequencies, response = signal.freqz(*digital, worN=512, fs=sample_rate)
    return tuple(signal.firls(TAPS, frequencies, np.abs(response), fs=sample_rate))
