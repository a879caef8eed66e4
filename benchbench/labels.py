"""Do stems carry the right names? Told by how they correlate with the references."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from benchbench.audio import Audio

__all__ = ["likeness", "swapped"]

MARGIN = 0.1
"""By how much two stems must each be liker the other's reference before they count as swapped."""


def likeness(estimate: Audio, reference: Audio) -> float:
    """Normalised correlation of two signals over their common length, 0 where one is silent."""
    samples = min(estimate.shape[1], reference.shape[1])
    # Raw audio is interleaved, so its transpose is contiguous and nothing is copied.
    one, other = estimate.T[:samples].reshape(-1), reference.T[:samples].reshape(-1)
    energy = float(np.sqrt(np.vdot(one, one) * np.vdot(other, other)))
    return float(np.vdot(one, other)) / energy if energy > 0 else 0.0


def swapped(
    estimates: Mapping[str, Audio], references: Mapping[str, Audio]
) -> list[tuple[str, str]]:
    """Pairs of targets of which each one's estimate is far liker the other's reference.

    A weak separator may have a stem that resembles another target; two that resemble each
    other's have changed places.
    """
    found = []
    for one, other in combinations([name for name in references if name in estimates], 2):
        first = likeness(estimates[one], references[other])
        second = likeness(estimates[other], references[one])
        if first > likeness(estimates[other], references[other]) + MARGIN and (
            second > likeness(estimates[one], references[one]) + MARGIN
        ):
            found.append((one, other))
    return found
