"""The leaderboard of a page's headline, and quality against cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from benchbench.reporting.data.leaderboards import Leaderboard
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.score_arrays import Series
from benchbench.reporting.figures.axes import Axis, linear
from benchbench.reporting.figures.scatter import Point, front, scatter
from benchbench.reporting.formatting import after_comma
from benchbench.reporting.sections.citations import Citations, Cited

__all__ = ["Cost", "Headline", "board_axis", "board_bounds"]


@dataclass(frozen=True)
class Headline:
    """The leaderboard's axis, ranks, published figures and gaps.

    Parameters
    ----------
    board
        The leaderboard.
    report_models
        The models by name.
    citations
        Published figures beside all leaderboards.
    all_gaps
        Reasons for missing numbers, by series and model.
    """

    board: Leaderboard
    report_models: Mapping[str, ReportModel]
    citations: Citations
    all_gaps: Mapping[Series, dict[str, str]]

    @property
    def axis(self) -> Axis:
        """An axis that holds every value and interval of the headline."""
        return board_axis(self.board, self.cited)

    @property
    def cited(self) -> tuple[Cited, ...]:
        """Published figures beside the headline."""
        return self.citations.beside(self.board)

    @cached_property
    def ranks(self) -> dict[str, str]:
        """The rank of every competing model within its kind."""
        answer: dict[str, str] = {}
        places: Counter[str] = Counter()
        for row in self.board.rows:
            ranked = row.value is not None and self.report_models[row.model].ranked
            ranked = ranked and self.board.series.ranks
            places[row.kind] += ranked
            answer[row.model] = str(places[row.kind]) if ranked else "–"
        return answer

    @property
    def gaps(self) -> dict[str, str]:
        """Reasons for missing numbers of the headline, by model."""
        return self.all_gaps.get(self.board.series, {})


@dataclass(frozen=True)
class Cost:
    """Quality against cost of the models that were timed.

    Parameters
    ----------
    board
        The headline's leaderboard.
    report_models
        The models by name.
    """

    board: Leaderboard
    report_models: Mapping[str, ReportModel]

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Cost and quality of the models that have both."""
        points = []
        for row in self.board.rows:
            report_model = self.report_models[row.model]
            factor = report_model.cost.real_time_factor
            if (
                row.value is not None
                and factor
                and not report_model.baseline
                and not report_model.oracle
            ):
                points.append(
                    Point(row.model, report_model.index, factor, row.value, row.low, row.high)
                )
        return tuple(points)

    @property
    def front(self) -> list[str]:
        """The models that no other beats in both quality and cost, cheapest first."""
        return [point.name for point in front(self.points)]

    @property
    def figure(self) -> Markup:
        """Quality against cost."""
        series = self.board.series
        words = "Higher is better, further left is faster; the line joins the models that no other beats in both."
        return scatter(
            self.points,
            f"{series.label} of {series.target} against time",
            words,
            "speed: times faster than real time",
            f"{series.metric} of {series.target}{after_comma(self.board.unit)}",
        )


def board_axis(board: Leaderboard, cited: Sequence[Cited] = ()) -> Axis:
    """An axis that holds every value and interval of a board, and its published figures."""
    return linear([*board_bounds(board), *(one.value for one in cited)], 6, 234, count=4)


def board_bounds(board: Leaderboard) -> list[float]:
    """Every value and every end of an interval on a board."""
    return [
        value for row in board.rows for value in (row.value, row.low, row.high) if value is not None
    ]
