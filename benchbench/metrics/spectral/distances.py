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
from benchbench.metrics.spectral.distance_sums import L1_STFT, RESOLUTIONS
from benchbench.metrics.spectral.sharing import shared_sums

__all__ = ["SOFTEST", "evaluate"]

SOFTEST = 1e-5
"""Peak below which magnitudes are near their floor of 1e-4: a third of the step of 16 bits."""

_LONGEST = RESOLUTIONS[-1]


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
    sums, (bleedless, fullness) = shared_sums(evaluation, index).distances()
    resolutions = sums.resolutions
    losses = [
        one.loss(stft.frames(references.samples) * stft.bins)
        for one, stft in zip(resolutions, RESOLUTIONS, strict=True)
    ]
    count = L1_STFT.frames(references.samples) * L1_STFT.bins * references.channels
    log_spectral = resolutions[1].distances.mean() / RESOLUTIONS[1].frames(references.samples)
    return {
        "L1-freq": 100.0 / (1.0 + 10.0 * sums.absolute / count),
        "STFT": 100.0 / (1.0 + 10.0 * losses[0]),
        "MR-STFT": 100.0 / (1.0 + 10.0 * float(np.mean(losses))),
        "LSD": float(log_spectral),
        "bleedless": bleedless,
        "fullness": fullness,
    }
