"""Where a target is active: excerpts that are the same for every model, since they follow the
reference alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchbench.metrics.references import References

__all__ = ["Excerpt", "active_excerpts"]

BLOCK_S = 0.1
ACTIVE_DB = -40.0
"""A block is active when it is no further below the loudest one."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Samples `start` to `stop` (exclusive) of a track."""

    start: int
    stop: int


def active_excerpts(
    references: References, target: str, seconds: float, count: int
) -> tuple[Excerpt, ...]:
    """Where to measure a target.

    Excerpts of the whole length start on a grid of half their length. Taken are, one after the
    other, those with the most active blocks, then the most energy, that overlap none before them;
    an excerpt less than half as active as the first is not taken. A shorter track is one excerpt.

    Parameters
    ----------
    references
        The track's references.
    target
        Whose activity counts.
    seconds, count
        Length of an excerpt, and how many there are at most.

    Returns
    -------
    tuple of Excerpt
        In the order of time; empty for a silent target.
    """
    key = ("excerpts", target, seconds, count)
    return references.kept(key, lambda: _chosen(references, target, seconds, count))


def _chosen(references: References, target: str, seconds: float, count: int) -> tuple[Excerpt, ...]:
    energies = _energies(references, target)
    if not energies.any():
        return ()
    length = round(seconds * references.sample_rate)
    if not length or references.samples <= length:
        return (Excerpt(0, references.samples),)
    active = energies > energies.max() * 10.0 ** (ACTIVE_DB / 10.0)
    block = round(BLOCK_S * references.sample_rate)
    starts = range(0, references.samples - length + 1, max(1, length // 2))

    def worth(start: int) -> tuple[int, float]:
        inside = slice(start // block, (start + length) // block)
        return int(active[inside].sum()), float(energies[inside].sum())

    ranked = sorted(starts, key=lambda start: (*worth(start), -start), reverse=True)
    most = worth(ranked[0])[0]
    taken: list[int] = []
    for start in ranked:
        apart = all(abs(start - other) >= length for other in taken)
        if apart and len(taken) < count and 2 * worth(start)[0] >= most:
            taken.append(start)
    return tuple(Excerpt(start, start + length) for start in sorted(taken))


def _energies(references: References, target: str) -> npt.NDArray[np.float64]:
    """Energy of each block of 100 ms."""
    row = references.names.index(target)
    block = max(1, round(BLOCK_S * references.sample_rate))
    starts = range(0, references.samples, block)
    audio = (
        references.stem(row, first, min(first + block, references.samples)) for first in starts
    )
    return np.array([np.vdot(part, part) for part in audio])
