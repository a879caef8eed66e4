"""Differences between the models' numbers on a leaderboard, with paired intervals.

A leaderboard shows the mean or the median over tracks of each model. The interval of the difference
of two such numbers is a percentile bootstrap: tracks are resampled for all models at once, and both
numbers are computed from the same sample. A track without a value for one model counts for the
others, as on the leaderboard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchbench.stats.aggregations import Summary
from benchbench.stats.bootstrap import LEVEL, RESAMPLES, SEED, Interval

__all__ = ["ShownDifference", "ShownNumbers"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """`difference` is the first number minus the second; `interval` is its interval."""

    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class ShownNumbers:
    """The numbers of several models over the same tracks, and bootstrap draws of them.

    Parameters
    ----------
    numbers
        The mean or median over tracks of each model, of shape (models,); NaN without any value.
    draws
        The numbers over resampled tracks, of shape (models, resamples).
    seed
        Seed of the draws.
    """

    numbers: Floats
    draws: Floats
    seed: int

    @classmethod
    def of(
        cls,
        values: npt.ArrayLike,
        summary: Summary = "mean",
        *,
        resamples: int = RESAMPLES,
        seed: int = SEED,
    ) -> ShownNumbers:
        """Summarise values of shape (models, tracks), NaN where a model has none, and draw tracks.

        Examples
        --------
        >>> shown = ShownNumbers.of([[3.0, 5.0, 9.0], [1.0, 4.0, 5.0]], "median")
        >>> shown.difference(0, 1).difference
        1.0
        """
        table = np.asarray(values, dtype=np.float64)
        tracks = table.shape[1]
        picks = np.random.default_rng(seed).integers(0, max(tracks, 1), size=(resamples, tracks))
        draws = np.stack([_summed_up(row[picks], summary) for row in table])
        return cls(_summed_up(table, summary), draws, seed)

    def difference(self, first: int, second: int, *, level: float = LEVEL) -> ShownDifference:
        """One model's number minus another's; the bounds are NaN where no draw has a value."""
        difference = float(self.numbers[first] - self.numbers[second])
        drawn = self.draws[first] - self.draws[second]
        drawn = np.sort(drawn[~np.isnan(drawn)])
        low = high = float("nan")
        if len(drawn) > 1:
            bounds = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
            low, high = float(bounds[0]), float(bounds[1])
        return ShownDifference(
            difference, Interval(low, high, level, self.draws.shape[1], self.seed)
        )


def _summed_up(values: Floats, summary: Summary) -> Floats:
    """The mean or median over the last axis; NaN where all values are missing."""
    if not np.isnan(values).any():
        found = np.median(values, axis=-1) if summary == "median" else values.mean(axis=-1)
        return np.asarray(found, dtype=np.float64)
    empty = np.asarray(np.isnan(values).all(axis=-1))
    filled = np.where(empty[..., None], 0.0, values)
    found = np.nanmedian(filled, axis=-1) if summary == "median" else np.nanmean(filled, axis=-1)
    return np.where(empty, np.nan, found)
