"""ViSQOL score of two signals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import gammatone
from .alignment import aligned, best_lag
from .patches import matched, realigned
from .quality import QualityModel

__all__ = ["mean_opinion_score"]

Float64 = npt.NDArray[np.float64]

WORST = 1.0
_NOTHING_ALIKE = 0.15


def mean_opinion_score(reference: Float64, estimate: Float64, model: QualityModel) -> float:
    """MOS-LQO of an estimate, from 1 (bad) to about 4.73 (the reference itself).

    The estimate's delay (up to half the length) is removed first, then its level is matched to that
    of the reference. A silent estimate scores 1.

    Parameters
    ----------
    reference, estimate
        Mono audio of shape (samples,) at 48 kHz, at least 0.96 s; the reference is not silent.
    model
        The regression from similarities to scores.

    Raises
    ------
    ValueError
        For audio that is too short, or a silent reference.
    """
    if not reference.any():
        raise ValueError("the reference is silent")
    lag = best_lag(reference, estimate)
    moved = aligned(estimate, lag)
    if not moved.any():
        return WORST
    moved = moved * np.sqrt(np.mean(reference**2) / np.mean(moved**2))
    spectrograms = gammatone.prepared(gammatone.levels(reference), gammatone.levels(moved))
    matches = [realigned(match, reference, moved) for match in matched(*spectrograms)]
    similarity = np.mean([match.bands for match in matches], axis=0)
    return WORST if similarity.mean() < _NOTHING_ALIKE else model.score(similarity)
