"""Do stems carry the right names? Told by how they correlate with the references."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy

from benchbench.metrics.base import AudioArray as Audio

__all__ = ["likeness", "swapped"]

MARGIN = 0.2
"""By how much the likenesses must sum up higher under other names before these are believed."""

CLEAR = 0.5
"""The likeness to the target of its new name that each of those stems must have."""


def likeness(estimate: Audio, reference: Audio) -> float:
    """Normalised correlation of two signals over their common length, 0 where one is silent."""
    samples = min(estimate.shape[1], reference.shape[1])
    # Raw audio is interleaved, so its transpose is contiguous and nothing is copied.
    one, other = estimate.T[:samples].reshape(-1), reference.T[:samples].reshape(-1)
    energy = float(np.sqrt(np.vdot(one, one) * np.vdot(other, other)))
    return float(np.vdot(one, other)) / energy if energy > 0 else 0.0


def swapped(estimates: Mapping[str, Audio], references: Mapping[str, Audio]) -> list[str]:
    """What each stem looks like, where other names would fit the stems far better than their own.

    The assignment of stems to references with the largest sum of likenesses counts (Hungarian
    method). A weak separator may have a stem that resembles another target; only where each stem
    clearly resembles the target of its new name, and the exchange gains, have they changed places.
    """
    names = [name for name in references if name in estimates]
    table = np.array([[likeness(estimates[e], references[r]) for r in names] for e in names])
    if len(names) < 2:
        return []
    most = min(table.max(axis=0).sum(), table.max(axis=1).sum())  # that any assignment can reach
    if most - np.trace(table) <= MARGIN:
        return []
    # SciPy loads this part when it is named: a third of a pipeline's start, and seldom needed.
    rows, columns = scipy.optimize.linear_sum_assignment(-table)
    moved = rows != columns
    gain = table[rows, columns].sum() - np.trace(table)
    if gain <= MARGIN or table[rows, columns][moved].min() < CLEAR:
        return []
    return [
        f"{names[e]} looks like {names[r]}" for e, r in zip(rows, columns, strict=True) if e != r
    ]
