"""Differences between the models' numbers on a leaderboard, with paired intervals.

A leaderboard shows the mean or the median over tracks of each model. The interval of the difference
of two such numbers is a percentile bootstrap: tracks are resampled for all models at once, and both
numbers are computed from the same sample. A track without a value for one model counts for the
others, as on the leaderboard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchbench.stats.aggregations import Summary
from benchbench.stats.bootstrap import LEVEL, RESAMPLES, SEED, Interval
from benchbench.stats.resampling import Resampling, resampling

__all__ = ["ShownDifference", "ShownNumbers"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer]

_CELLS = 2_000_000  # resampling counts held at a time: 16 MB
_PAIRS = 128  # pairs whose draws are held at a time


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
        drawn = _drawn_means if summary == "mean" else _drawn_medians
        draws = drawn(table, resampling(table.shape[1], resamples, seed, "int64"))
        return cls(_summed_up(table, summary), draws, seed)

    def difference(self, first: int, second: int, *, level: float = LEVEL) -> ShownDifference:
        """One model's number minus another's; the bounds are NaN where no draw has a value."""
        return self.differences([(first, second)], level=level)[0]

    def differences(
        self, pairs: Sequence[tuple[int, int]], *, level: float = LEVEL
    ) -> list[ShownDifference]:
        """The difference of each pair of models, the first one's number minus the second one's."""
        tails = [(1 - level) / 2, (1 + level) / 2]
        made = []
        for start in range(0, len(pairs), _PAIRS):
            first, second = np.array(pairs[start : start + _PAIRS]).T
            bounds = _quantiles(self.draws[first] - self.draws[second], tails)
            numbers = self.numbers[first] - self.numbers[second]
            for number, (low, high) in zip(numbers, bounds, strict=True):
                interval = Interval(float(low), float(high), level, self.draws.shape[1], self.seed)
                made.append(ShownDifference(float(number), interval))
        return made


def _quantiles(rows: Floats, shares: Sequence[float]) -> Floats:
    """Quantiles of each row over its values, NaN for fewer than two: shape (rows, shares)."""
    gaps = np.isnan(rows).any(axis=1)
    answer = np.full((len(rows), len(shares)), np.nan)
    if not gaps.all():
        answer[~gaps] = np.quantile(rows[~gaps], shares, axis=1).T
    for place in np.flatnonzero(gaps):
        values = rows[place][~np.isnan(rows[place])]
        if len(values) > 1:
            answer[place] = np.quantile(values, shares)
    return answer


def _drawn_means(table: Floats, resamples: Resampling) -> Floats:
    """The mean of each model over each resample, of shape (models, resamples)."""
    present = ~np.isnan(table)
    filled = np.where(present, table, 0.0)
    draws = np.empty((len(table), len(resamples.counts)))
    for part, weights in resamples.weights():
        # With the long rows of both factors side by side the product takes a tenth of the time.
        draws[:, part] = (weights @ filled.T).T
    number = resamples.with_value(present.T).T
    np.divide(draws, number, out=draws, where=number > 0)
    draws[number == 0] = np.nan
    return draws


def _drawn_medians(table: Floats, resamples: Resampling) -> Floats:
    """The median of each model over each resample, of shape (models, resamples)."""
    draws = np.empty((len(table), len(resamples.counts)))
    orders = [np.argsort(row)[: np.count_nonzero(~np.isnan(row))] for row in table]
    step = max(1, _CELLS // max(table.shape[1], 1))
    for start in range(0, len(resamples.counts), step):
        counts = resamples.counts[start : start + step].astype(np.int32)
        draws[:, start : start + step] = _medians(table, orders, counts)
    return draws


def _medians(table: Floats, orders: Sequence[Counts], counts: Counts) -> Floats:
    """The medians over some resamples, from each model's order of tracks with a value.

    A median is the middle of the values in order. The counts are summed in blocks first, so that
    only one block per resample is counted value by value.
    """
    answer = np.full((len(table), len(counts)), np.nan)
    for row, values, order in zip(answer, table, orders, strict=True):
        if len(order):
            width = max(1, int(len(order) ** 0.5))
            padded = np.zeros((len(counts), -(-len(order) // width) * width), np.int32)
            np.take(counts, order, axis=1, out=padded[:, : len(order)])
            blocks = padded.reshape(len(counts), -1, width)
            reached = np.cumsum(blocks.sum(axis=2), axis=1)
            drawn = reached[:, -1]
            ranked = np.append(values[order], np.nan)  # NaN where a resample has no value
            low = _place(blocks, reached, (drawn - 1) // 2)
            high = _place(blocks, reached, drawn // 2)
            low, high = (np.where(drawn > 0, place, len(order)) for place in (low, high))
            row[:] = (ranked[low] + ranked[high]) / 2
    return answer


def _place(blocks: Counts, reached: Counts, wanted: Counts) -> Counts:
    """The place in the order of the drawn value number `wanted`, counted from 0, per resample."""
    block = np.minimum((reached <= wanted[:, None]).sum(axis=1), blocks.shape[1] - 1)
    lines = np.arange(len(blocks))
    before = np.where(block > 0, reached[lines, block - 1], 0)
    inside = np.cumsum(blocks[lines, block], axis=1) + before[:, None]
    within = np.minimum((inside <= wanted[:, None]).sum(axis=1), blocks.shape[2] - 1)
    return np.asarray(block * blocks.shape[2] + within)


def _summed_up(values: Floats, summary: Summary) -> Floats:
    """The mean or median over the last axis; NaN where all values are missing."""
    if not np.isnan(values).any():
        found = np.median(values, axis=-1) if summary == "median" else values.mean(axis=-1)
        return np.asarray(found, dtype=np.float64)
    empty = np.asarray(np.isnan(values).all(axis=-1))
    filled = np.where(empty[..., None], 0.0, values)
    found = np.nanmedian(filled, axis=-1) if summary == "median" else np.nanmean(filled, axis=-1)
    return np.where(empty, np.nan, found)
