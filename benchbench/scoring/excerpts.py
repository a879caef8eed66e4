"""Excerpts in which a target is active; the same for every model, since they depend only on the
reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchbench.metrics.references import References

__all__ = ["Excerpt", "active_excerpts"]

BLOCK_S = 0.1
ACTIVE_DB = -40.0
"""A block is active when it is at most this far below the loudest one."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Samples `start` to `stop` (exclusive) of a track."""

    start: int
    stop: int


def active_excerpts(
    references: References, target: str, seconds: float, count: int
) -> tuple[Excerpt, ...]:
    """The excerpts in which to measure a target.

    Candidates start on a grid of half their length. They are chosen in order of active blocks, then
    of energy, if they overlap no excerpt chosen before and are at least half as active as the
    first. A track shorter than an excerpt is one excerpt.

    Parameters
    ----------
    references
        The track's references.
    target
        The target whose activity counts.
    seconds, count
        Length of an excerpt, and the largest number of excerpts.

    Returns
    -------
    tuple of Excerpt
        In order of time; empty for a silent target.
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
