"""Zimtohrli's mean opinion score of an estimate, given its reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import zimtohrli

Audio = npt.NDArray[np.float32]

_SHORTEST = 4800


def measure(reference: Audio, estimate: Audio, sample_rate: int) -> float | None:
    """The score, 1 to 5, of one excerpt of shape (1, samples) at 48 kHz; None below 0.1 s."""
    del sample_rate
    if reference.shape[1] < _SHORTEST:
        return None
    return float(zimtohrli.mos_from_signals(np.array(reference[0]), np.array(estimate[0])))
