"""Detect probable mistakes in estimates that can be scored: swapped labels, a delay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchbench.metrics.pairing.lag import better_lag
from benchbench.metrics.pairing.permutation import swapped
from benchbench.metrics.targets import ReferenceSet

__all__ = ["oddities"]

Floats = npt.NDArray[np.floating]


def oddities(
    references: Mapping[str, Floats], stems: Mapping[str, Floats], chosen: ReferenceSet
) -> list[str]:
    """One clause per oddity that a reader of the scores should check.

    Parameters
    ----------
    references
        The reference of each target, (channels, samples).
    stems
        The model's stems.
    chosen
        The stems of each target; sums are not checked.

    Returns
    -------
    Clauses such as ``swapped labels? vocals looks like drums`` and ``the estimate vocals fits its
    reference far better 1024 samples earlier``.
    """
    estimates = {t: stems[parts[0]] for t, parts in chosen.estimates.items() if len(parts) == 1}
    moved = swapped(estimates, references)
    if moved:
        return [f"swapped labels? {', '.join(moved)}"]
    lags = {target: better_lag(audio, references[target]) for target, audio in estimates.items()}
    return [
        f"the estimate {target} comes {abs(lag)} samples {'late' if lag > 0 else 'early'}: it fits "
        "its reference far better when shifted back (a codec's delay?). It is scored unshifted"
        for target, lag in lags.items()
        if lag
    ]
