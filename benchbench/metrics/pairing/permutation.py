"""Detect stems with swapped names by their correlation with the references."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchbench.metrics.base import AudioArray as Audio

__all__ = ["likeness", "swapped"]

MARGIN = 0.2
"""How much larger the sum of correlations must be under other names to report a swap."""

CLEAR = 0.5
"""The least correlation of each swapped stem with the target of its new name."""


def likeness(estimate: Audio, reference: Audio) -> float:
    """Normalised correlation of two signals over their common length, 0 where one is silent."""
    samples = min(estimate.shape[1], reference.shape[1])
    # Raw audio is interleaved, so its transpose is contiguous and nothing is copied.
    one, other = estimate.T[:samples].reshape(-1), reference.T[:samples].reshape(-1)
    energy = float(np.sqrt(np.vdot(one, one) * np.vdot(other, other)))
    return float(np.vdot(one, other)) / energy if energy > 0 else 0.0


def swapped(estimates: Mapping[str, Audio], references: Mapping[str, Audio]) -> list[str]:
    """Clauses for stems that fit other names much better than their own.

    The assignment of stems to references with the largest sum of correlations counts (Hungarian
    method). A weak separator may have a stem that resembles another target; a swap is reported only
    where each stem clearly resembles the target of its new name and the sum increases enough.
    """
    names = [name for name in references if name in estimates]
    table = np.array([[likeness(estimates[e], references[r]) for r in names] for e in names])
    if len(names) < 2:
        return []
    most = min(table.max(axis=0).sum(), table.max(axis=1).sum())  # an upper bound
    if most - np.trace(table) <= MARGIN:
        return []
    # Imported on use: it takes a third of a pipeline's start, and is seldom needed.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-table)
    moved = rows != columns
    gain = table[rows, columns].sum() - np.trace(table)
    if gain <= MARGIN or table[rows, columns][moved].min() < CLEAR:
        return []
    return [
        f"{names[e]} looks like {names[r]}" for e, r in zip(rows, columns, strict=True) if e != r
    ]
