"""Paired differences between all models of a board, and their tests."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from benchbench.errors import NothingToCompareError
from benchbench.reporting.data.leaderboards import Leaderboard, number
from benchbench.reporting.data.score_arrays import Series, SeriesArray
from benchbench.stats import (
    AGGREGATIONS,
    CriticalDifference,
    Friedman,
    ShownNumbers,
    critical_difference,
    friedman,
    holm,
    pairwise,
)

__all__ = ["ALPHA", "Pair", "PairwiseTests", "pairwise_tests"]

ALPHA: Final = 0.05


FRIEDMAN_TRACKS: Final = 10
"""With fewer tracks the page makes no statement about all models together."""


@dataclass(frozen=True, slots=True)
class Pair:
    """How much better `first` is than `second` on the tracks that both have.

    Parameters
    ----------
    difference, low, high
        The displayed number of `first` minus that of `second`, and its interval by a paired
        bootstrap over tracks.
    p
        Wilcoxon's p after Holm's correction over all pairs of the board.
    win_rate
        Share of tracks on which `first` is better; a tie counts half.
    higher
        Whether higher values are better.
    detectable
        The difference that a test with this many tracks detects with 80% power.
    """

    first: str
    second: str
    tracks: int
    difference: float
    low: float | None
    high: float | None
    p: float
    win_rate: float
    effect: float
    detectable: float | None
    higher: bool = True

    @property
    def distinguishable(self) -> bool:
        """Whether the test separates the two at the 5% level, in the displayed direction."""
        return self.p < ALPHA and self.effect * self.difference > 0

    @property
    def ahead(self) -> bool:
        """Whether `first` is better on average."""
        return self.difference > 0 if self.higher else self.difference < 0

    def turned(self) -> Pair:
        """The same pair with `first` and `second` swapped."""
        low, high = self.high, self.low
        return Pair(
            self.second,
            self.first,
            self.tracks,
            -self.difference,
            None if low is None else -low,
            None if high is None else -high,
            self.p,
            1 - self.win_rate,
            -self.effect,
            self.detectable,
            self.higher,
        )


@dataclass(frozen=True)
class PairwiseTests:
    """All pairs of one series, and the test over all models where there are enough."""

    series: Series
    models: tuple[str, ...]
    pairs: dict[tuple[str, str], Pair]
    ranks: CriticalDifference | None
    overall: Friedman | None

    def pair(self, first: str, second: str) -> Pair | None:
        """The pair in the given order."""
        if (first, second) in self.pairs:
            return self.pairs[first, second]
        other = self.pairs.get((second, first))
        return other.turned() if other else None

    def level_groups(self, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """The longest runs of adjacent `names` in which no two are distinguishable."""
        groups: list[tuple[str, ...]] = []
        reached = 0
        for start in range(len(names)):
            end = start + 1
            while end < len(names) and not any(
                self._apart(name, names[end]) for name in names[start:end]
            ):
                end += 1
            if end > reached and end - start > 1:
                groups.append(tuple(names[start:end]))
            reached = max(reached, end)
        return tuple(groups)

    def _apart(self, first: str, second: str) -> bool:
        pair = self.pair(first, second)
        return pair is None or pair.distinguishable


def pairwise_tests(grid: SeriesArray, board: Leaderboard, rivals: Collection[str]) -> PairwiseTests:
    """Compare the models of a board track by track.

    Parameters
    ----------
    grid, board
        The series and its leaderboard.
    rivals
        The competing models. Holm's correction is applied to their pairs, and separately to all
        other pairs, so that pairs such as oracle against silence do not reduce its power.

    If a board ranks masking and generative separators separately, mixed pairs have no test.
    """
    models = tuple(row.model for row in board.rows if row.value is not None)
    way = AGGREGATIONS[board.aggregation]
    values = grid.values(way.frames)[[grid.models.index(name) for name in models]]
    table = pd.DataFrame(values.T, index=list(grid.tracks), columns=list(models))
    kinds = {row.model: row.kind for row in board.rows}
    found = pairwise(table, models=models, intervals=False)  # those of the shown numbers are used
    if len(found):
        found = found[found["a"].map(kinds) == found["b"].map(kinds)].reset_index(drop=True)
    shown = ShownNumbers.of(values, way.tracks)
    place = {name: index for index, name in enumerate(models)}
    made: dict[tuple[str, str], Pair] = {}
    if len(found):
        competing = (found["a"].isin(list(rivals)) & found["b"].isin(list(rivals))).to_numpy()
        corrected = np.where(
            competing,
            holm(np.where(competing, found["p"], np.nan)),
            holm(np.where(competing, np.nan, found["p"])),
        )
        tested = [
            _pair(row, float(p), board.higher_is_better)
            for row, p in zip(found.to_dict("records"), corrected, strict=True)
            if row["n"] > 0
        ]
        intervals = shown.differences([(place[pair.first], place[pair.second]) for pair in tested])
        for pair, between in zip(tested, intervals, strict=True):
            made[pair.first, pair.second] = replace(
                pair,
                difference=between.difference,
                low=number(between.interval.low),
                high=number(between.interval.high),
            )
    own = [name for name in models if name in rivals]
    own = [name for name in own if kinds[name] == kinds[own[0]]]
    together = own if len(own) > 2 else list(models)
    table = table[together]
    try:
        ranks: CriticalDifference | None = critical_difference(
            table, direction="higher" if board.higher_is_better else "lower"
        )
    except NothingToCompareError:
        ranks = None
    return PairwiseTests(board.series, models, made, ranks, _overall(table))


def _overall(table: pd.DataFrame) -> Friedman | None:
    """Friedman's test, if there are tracks enough: with few, its F distribution is far off."""
    try:
        test = friedman(table)
    except NothingToCompareError:
        return None
    return test if test.tracks >= FRIEDMAN_TRACKS else None


def _pair(row: Mapping[Hashable, Any], p: float, higher: bool) -> Pair:
    """A row of `pairwise` with the sign flipped: it holds b minus a, and a is the better model."""
    return Pair(
        str(row["a"]),
        str(row["b"]),
        int(row["n"]),
        -float(row["difference"]),
        _minus(row["hi"]),
        _minus(row["lo"]),
        p,
        1 - float(row["win_rate"]) if higher else float(row["win_rate"]),
        -float(row["effect"]),
        number(row["detectable"]),
        higher,
    )


def _minus(value: float) -> float | None:
    found = number(value)
    return None if found is None else -found
