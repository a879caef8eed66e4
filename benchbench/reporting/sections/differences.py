"""Differences between models on one target: all pairs, all against one, average ranks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from markupsafe import Markup

from benchbench.reporting.data.leaderboards import Leaderboard, Leaderboards
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.pairwise import Pair, PairwiseTests, pairwise_tests
from benchbench.reporting.data.score_arrays import ScoreArrays
from benchbench.reporting.figures.axes import Axis, linear
from benchbench.reporting.figures.ranks import rank_diagram
from benchbench.reporting.sections.summary import tied
from benchbench.stats.wording import count

__all__ = ["MOST_LISTED", "Difference", "differences"]

MOST_LISTED: Final = 40
"""Models of which a page lists every pair: 780 rows per target."""


@dataclass(frozen=True)
class Difference:
    """A board, its pairs, and the model that all others are compared with.

    Parameters
    ----------
    index
        The index of the board's series among all series of the page.
    baseline
        The model to compare with; the best model instead where it has no value.
    """

    index: int
    board: Leaderboard
    tests: PairwiseTests
    report_models: dict[str, ReportModel]
    baseline: str

    @property
    def shown(self) -> tuple[str, ...]:
        """The models of the pairwise matrix: those with a value, best first."""
        return tuple(name for name in self.tests.models if not self.report_models[name].baseline)

    @property
    def few(self) -> bool:
        """Whether the page has room for a list of all pairs, and for a note on each."""
        return len(self.tests.models) <= MOST_LISTED

    @property
    def opponent(self) -> str:
        """The model that all others are compared with."""
        own = self.tests.models
        if self.baseline in own:
            return self.baseline
        ranked = [name for name in own if self.report_models[name].ranked]
        return (ranked or list(own))[0]

    @cached_property
    def against(self) -> tuple[Pair, ...]:
        """Every other model minus the opponent, in board order; baselines if there is nothing else."""
        others = [name for name in self.tests.models if name != self.opponent]
        separating = [name for name in others if not self.report_models[name].baseline]
        pairs = (self.tests.pair(name, self.opponent) for name in separating or others)
        return tuple(pair for pair in pairs if pair is not None)

    @cached_property
    def axis(self) -> Axis:
        """An axis that holds zero and every difference with its interval."""
        found = (value for pair in self.against for value in (pair.difference, pair.low, pair.high))
        return linear([value for value in found if value is not None], 6, 234, count=4, zero=True)

    @cached_property
    def tied(self) -> tuple[str, ...]:
        """The models that the paired test does not distinguish from the first."""
        return tied(self.board, self.tests, self.report_models)

    @cached_property
    def rank_figure(self) -> Markup | None:
        """Average ranks of the competing models; bars join models that the paired tests do not
        distinguish, so that the figure agrees with the table of pairs."""
        found = self.tests.ranks
        if found is None or len(found.ranks) < 3 or len(found.ranks) > 30:
            return None
        ranks = {str(name): float(rank) for name, rank in found.ranks.items()}
        index = {name: self.report_models[name].index for name in ranks}
        words = (
            f"Average ranks over {count(found.tracks, 'track')}. A bar joins models that the "
            "paired tests cannot distinguish."
        )
        groups = self.tests.level_groups(list(ranks))
        return rank_diagram(ranks, groups, index, words, key=f"ranks-{self.index}")


def differences(
    data: ScoreArrays,
    made: Leaderboards,
    first: PairwiseTests,
    report_models: dict[str, ReportModel],
    baseline: str,
) -> tuple[Difference, ...]:
    """The headline's metric on every target, the headline first; its tests are passed in."""
    return tuple(
        sorted(
            _rounds(data, made, first, report_models, baseline),
            key=lambda one: one.board.series != made.headline.series,
        )
    )


def _rounds(
    data: ScoreArrays,
    made: Leaderboards,
    first: PairwiseTests,
    report_models: dict[str, ReportModel],
    baseline: str,
) -> Iterator[Difference]:
    head = made.headline
    rivals = [name for name, one in report_models.items() if one.ranked]
    for index, (series, ways) in enumerate(made.by_series.items()):
        if (series.protocol, series.metric, series.version) == (
            head.series.protocol,
            head.series.metric,
            head.series.version,
        ):
            board = ways[head.aggregation]
            known = series == head.series
            found = first if known else pairwise_tests(data.grids[series], board, rivals)
            yield Difference(index, board, found, report_models, baseline)
