"""Distances between magnitude spectrograms, with the parameters that the field uses.

L1-freq, STFT, bleedless and fullness follow ZFTurbo's Music-Source-Separation-Training; the STFT
losses in turn follow auraloss. All are computed per channel and averaged over channels.

One pass over the audio of a target and its estimate gives all six, and serves other protocols too
(`benchbench.metrics.spectral.sharing`).
"""

from __future__ import annotations

import numpy as np

from benchbench.metrics.base import Series
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.signals import Float64
from benchbench.metrics.spectral.distance_sums import L1_STFT, RESOLUTIONS
from benchbench.metrics.spectral.sharing import shared_sums

__all__ = ["SOFTEST", "bleed_and_fullness", "evaluate"]

SOFTEST = 1e-5
"""Peak below which magnitudes are near their floor of 1e-4: a third of the step of 16 bits."""

TOP_DB = 80.0

_LONGEST = RESOLUTIONS[-1]
_BATCH = 1 << 17
"""Levels that are compared at a time, so that they stay in cache."""


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
    sums, levels = shared_sums(evaluation, index).distances()
    resolutions = sums.resolutions
    losses = [
        one.loss(stft.frames(references.samples) * stft.bins)
        for one, stft in zip(resolutions, RESOLUTIONS, strict=True)
    ]
    count = L1_STFT.frames(references.samples) * L1_STFT.bins * references.channels
    bleedless, fullness = bleed_and_fullness(levels)
    log_spectral = resolutions[1].distances.mean() / RESOLUTIONS[1].frames(references.samples)
    return {
        "L1-freq": 100.0 / (1.0 + 10.0 * sums.absolute / count),
        "STFT": 100.0 / (1.0 + 10.0 * losses[0]),
        "MR-STFT": 100.0 / (1.0 + 10.0 * float(np.mean(losses))),
        "LSD": float(log_spectral),
        "bleedless": bleedless,
        "fullness": fullness,
    }


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
