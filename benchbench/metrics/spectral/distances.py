"""Distances between magnitude spectrograms, with the parameters that the field uses.

L1-freq, STFT, bleedless and fullness follow ZFTurbo's Music-Source-Separation-Training; the STFT
losses in turn follow auraloss. All are computed per channel and averaged over channels.

One pass over the audio of a target and its estimate gives all six: each segment is read once, and
transformed once for each of the three window lengths and for the rectangular window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from benchbench.metrics.arrays.mapped_arrays import mapped_zeros
from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.base import Series
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.signals import Float64
from benchbench.metrics.spectral.mel import MelBands
from benchbench.metrics.spectral.pair import Pair
from benchbench.metrics.spectral.stft import Stft, mirrored

__all__ = ["SOFTEST", "bleed_and_fullness", "evaluate"]

L1_STFT = Stft(2048, 1024, window="rectangular")
RESOLUTIONS = (Stft(1024, 256), Stft(2048, 512), Stft(4096, 1024))
MEL_STFT = Stft(4096, 1024, padding="zeros")
MEL_BANDS = 512
AMPLITUDE_FLOOR = 1e-4
"""Floor of magnitudes: the square root of the floor of powers, 1e-8."""

SOFTEST = 1e-5
"""Peak below which magnitudes are near `AMPLITUDE_FLOOR`: a third of the step of 16 bits."""

MEL_FLOOR = 1e-10
TOP_DB = 80.0

_LONGEST = RESOLUTIONS[-1]
_CHUNK = 1 << 17
"""Length of a segment in samples, a multiple of every hop."""

_BATCH = 1 << 17
"""Samples that are transformed at a time, so that they and their spectra stay in cache."""


def evaluate(evaluation: Evaluation) -> list[Series]:
    """L1-freq, STFT, MR-STFT, LSD, bleedless and fullness of each target.

    All but LSD are turned into scores from 0 to 100, where 100 means equal spectrograms. A track
    that is not longer than half the longest window has no values (``too_short``). Nor has a pair of
    signals that are both below 1e-5 of full scale, where the floors dominate (``too_soft``).
    """
    series = []
    fits = _LONGEST.fits(evaluation.references.samples)
    for index, target in enumerate(evaluation.targets):
        reason = _unusable(evaluation, index) if fits else "too_short"
        scores = dict.fromkeys(_METRICS, np.nan) if reason else _scores(evaluation, index)
        for metric, score in scores.items():
            reasons = np.full(1, reason, dtype=object)
            series.append(Series(target, metric, np.array([score], dtype=np.float64), reasons))
    return series


_METRICS = ("L1-freq", "STFT", "MR-STFT", "LSD", "bleedless", "fullness")


def _unusable(evaluation: Evaluation, index: int) -> str | None:
    """The reason why a target has no values; None if it can be scored."""
    row = int(evaluation.rows[index])
    loudest = max(evaluation.references.peak(row), evaluation.estimates.peak(index))
    return "too_soft" if 0.0 < loudest < SOFTEST else None


def _scores(evaluation: Evaluation, index: int) -> dict[str, float]:
    references = evaluation.references
    pair = Pair(evaluation, index)
    mel = references.kept(
        ("mel bands",), lambda: MelBands.of(MEL_BANDS, MEL_STFT.size, references.sample_rate)
    )
    # Frames may be centred on the position after the last sample.
    edges = [*range(0, references.samples + 1, _CHUNK), references.samples + 1]
    levels = mapped_zeros((2, references.channels, MEL_STFT.frames(references.samples), mel.count))
    absolute = 0.0
    sums = np.zeros((len(RESOLUTIONS), len(_Sums.__slots__), references.channels))
    done = 0
    work = partial(_chunk, pair, mel)
    for part in ordered_map(work, list(pairwise(edges)), references.threads):
        absolute += part.absolute
        sums += part.sums
        levels[:, :, done : done + part.levels.shape[2]] = part.levels
        done += part.levels.shape[2]
    resolutions = [_Sums(*one) for one in sums]
    losses = [
        one.loss(stft.frames(references.samples) * stft.bins)
        for one, stft in zip(resolutions, RESOLUTIONS, strict=True)
    ]
    count = L1_STFT.frames(references.samples) * L1_STFT.bins * references.channels
    bleedless, fullness = bleed_and_fullness(levels)
    log_spectral = resolutions[1].distances.mean() / RESOLUTIONS[1].frames(references.samples)
    return {
        "L1-freq": 100.0 / (1.0 + 10.0 * absolute / count),
        "STFT": 100.0 / (1.0 + 10.0 * losses[0]),
        "MR-STFT": 100.0 / (1.0 + 10.0 * float(np.mean(losses))),
        "LSD": float(log_spectral),
        "bleedless": bleedless,
        "fullness": fullness,
    }


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over frames and bins, of shape (channels,), of two magnitude spectrograms.

    Attributes
    ----------
    squared, estimate
        Energies of the difference and of the estimate.
    logarithmic
        Sums of the absolute differences of the logarithms.
    distances
        Over frames only: root mean square differences of the levels in decibels.
    """

    squared: Float64
    estimate: Float64
    logarithmic: Float64
    distances: Float64

    def loss(self, count: int) -> float:
        """Spectral convergence relative to the estimate plus the mean log-magnitude distance."""
        convergence = np.sqrt(self.squared / self.estimate)
        return float(convergence.mean() + self.logarithmic.mean() / count)


@dataclass(frozen=True, slots=True)
class _Part:
    """The sums of one segment.

    Attributes
    ----------
    absolute
        Sum of the absolute differences of the rectangular transform's magnitudes.
    sums
        Shape (resolutions, quantities of `_Sums`, channels).
    levels
        Levels of reference and estimate in mel bands, shape (2, channels, frames, bands).
    """

    absolute: float
    sums: Float64
    levels: Float64


def _chunk(pair: Pair, mel: MelBands, bounds: tuple[int, int]) -> _Part:
    """The sums of the frames that are centred in a segment."""
    start, stop = bounds
    reach = _LONGEST.size // 2
    stretch = mirrored(pair, start - reach, stop - 1 + reach)

    def magnitudes(stft: Stft) -> Iterator[Float64]:
        last = (stop - 1) // stft.hop * stft.hop
        block = stretch[..., reach - stft.size // 2 : last - start + reach + stft.size // 2]
        return map(np.abs, stft.batches(block, _BATCH))

    absolute = 0.0
    for reference, estimate in magnitudes(L1_STFT):
        estimate -= reference
        absolute += float(np.abs(estimate, out=estimate).sum())
    sums = np.zeros((len(RESOLUTIONS), len(_Sums.__slots__), stretch.shape[1]))
    levels = []
    for total, stft in zip(sums, RESOLUTIONS, strict=True):
        for both in magnitudes(stft):
            if stft is _LONGEST:
                levels.append(_levels(mel, both))
            _add_distances(total, both)
    joined = np.concatenate(levels, axis=2)
    first = start // MEL_STFT.hop
    for frame in range(first, first + joined.shape[2]):
        centre = frame * MEL_STFT.hop
        if centre < reach or centre > pair.samples - reach:  # zeros beyond the ends
            spectra = MEL_STFT.transform(pair, slice(None), (frame, frame + 1))
            joined[:, :, frame - first] = _levels(mel, np.abs(spectra))[:, :, 0]
    return _Part(absolute, sums, joined)


def _add_distances(total: Float64, magnitudes: Float64) -> None:
    """Add the `_Sums` of frames of shape (2, channels, frames, bins), which are overwritten."""
    reference, estimate = np.maximum(magnitudes, AMPLITUDE_FLOOR, out=magnitudes)
    difference = estimate - reference
    total[0] += [np.vdot(one, one) for one in difference]
    total[1] += [np.vdot(one, one) for one in estimate]
    logs = np.log(np.divide(estimate, reference, out=difference), out=difference)
    levels = np.sqrt(np.einsum("cfb,cfb->cf", logs, logs) / logs.shape[2])
    total[2] += np.abs(logs, out=logs).sum(axis=(1, 2))
    total[3] += 20.0 / np.log(10.0) * levels.sum(axis=1)


def _levels(mel: MelBands, magnitudes: Float64) -> Float64:
    """Levels in decibels of the mel bands, bands last."""
    banded = np.maximum(mel.of_magnitudes(magnitudes), MEL_FLOOR)
    return np.asarray(20.0 * np.log10(banded, out=banded))


def bleed_and_fullness(levels: Float64) -> tuple[float, float]:
    """Scores for little excess energy (bleedless) and little missing energy (fullness).

    Parameters
    ----------
    levels
        Levels of reference and estimate, shape (2, channels, frames, bands). Those more than 80 dB
        below the loudest are raised to 80 dB below it.
    """
    floors = [one.max() - TOP_DB for one in levels]
    sums, counts = np.zeros(2), np.zeros(2, dtype=int)
    step = max(1, _BATCH // levels.shape[3])
    for channel in range(levels.shape[1]):
        for first in range(0, levels.shape[2], step):
            reference, estimate = (
                np.maximum(one[channel, first : first + step], floor)
                for one, floor in zip(levels, floors, strict=True)
            )
            estimate -= reference
            for which, sign in enumerate((1.0, -1.0)):
                excess = np.maximum(sign * estimate, 0.0)
                sums[which] += excess.sum()
                counts[which] += np.count_nonzero(excess)
    means = np.divide(sums, counts, out=np.zeros(2), where=counts > 0)
    return float(100.0 / (1.0 + means[0])), float(100.0 / (1.0 + means[1]))
