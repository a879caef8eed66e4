"""Leaderboards: one value and interval per model for every group of comparable numbers.

A *series* is a set of numbers that may share a column: same data set, references, target,
protocol, metric and metric version. A *board* is a series under one aggregation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchbench import metrics
from benchbench.errors import NothingToCompareError, UnknownNameError
from benchbench.metrics.base import Metric
from benchbench.metrics.names import LISTENING
from benchbench.reporting.data.score_arrays import ScoreArrays, Series, SeriesArray
from benchbench.stats import AGGREGATIONS, Aggregation
from benchbench.stats.bootstrap import bootstrap_columns

__all__ = ["Leaderboard", "Leaderboards", "Row", "described", "leaderboards", "number", "usual"]

PROTOCOLS: Final = ("bsseval-v4", "bsseval-v3", "usdr", "si")
"""Order of preference for the headline: the most published protocol first."""

TARGETS: Final = ("vocals", "drums", "bass", "other", "accompaniment")
METRICS: Final = (
    "SDR",
    "SI-SDR",
    "ISR",
    "SIR",
    "SAR",
    "SI-SIR",
    "SI-SAR",
    "agreement",
    "correlation",
)
_ELSEWHERE: Final = ("windows", "bleed", "bands")  # protocols shown in separate sections
_FRAMED: Final = (
    "median of frame medians",
    "mean of frame medians",
    "mean of frame means",
    "median of frame means",
)
_WHOLE: Final = ("mean over tracks", "median over tracks")


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one board.

    `kind` is ``masking`` or ``generative`` on a board whose metric cannot rank the two against
    each other; the rows are then grouped by kind. It is empty elsewhere.
    """

    model: str
    value: float | None
    low: float | None
    high: float | None
    tracks: int
    expected: int
    missing: float
    ill_conditioned: float
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A series under one aggregation, the best model first."""

    series: Series
    aggregation: str
    rows: tuple[Row, ...]
    higher_is_better: bool = True
    unit: str = "dB"


@dataclass(frozen=True)
class Leaderboards:
    """All boards of a report, and the one that is shown on its first screen."""

    by_series: dict[Series, dict[str, Leaderboard]]
    headline: Leaderboard

    def default(self, series: Series) -> Leaderboard:
        """The board of a series under the default aggregation of its protocol."""
        return usual(self.by_series[series])

    def beside(self, series: Series) -> list[Series]:
        """The series that differ from this one only in the target."""
        same = [
            other
            for other in self.by_series
            if (other.dataset, other.references, other.protocol, other.metric, other.version)
            == (series.dataset, series.references, series.protocol, series.metric, series.version)
        ]
        return sorted(same, key=lambda other: _place(TARGETS, other.target))


def leaderboards(
    data: ScoreArrays, dataset: str | None = None, generative: Collection[str] = ()
) -> Leaderboards:
    """Every board, with bootstrap intervals over tracks.

    The numbers equal those of `benchbench.stats.leaderboard`. They are computed from arrays, since a
    large report has hundreds of boards. The headline is a board of `dataset`, where that is given.
    Where some of the models are `generative` and others are not, a metric that can rank both kinds
    is the headline, and every other board ranks each kind by itself.
    """
    made: dict[Series, dict[str, Leaderboard]] = {}
    for series in sorted(data.grids, key=_order):
        if not series.protocol.startswith(_ELSEWHERE) and not _is_diagnostic(series):
            grid = data.grids[series]
            names = _FRAMED if grid.framed else _WHOLE
            made[series] = {
                name: _by_kind(_board(grid, AGGREGATIONS[name]), generative) for name in names
            }
    if not made:
        raise NothingToCompareError(
            "These results hold no scores that rank models.",
            hint="Score them with a protocol of `bench list metrics`, such as usdr.",
        )
    here = {series: ways for series, ways in made.items() if series.dataset == dataset}
    return Leaderboards(made, _headline(here or made))


def _is_diagnostic(series: Series) -> bool:
    """Whether it describes references or single listeners and does not rank models."""
    return (
        series.metric in metrics.DIAGNOSTICS or described(series.protocol, series.metric).diagnostic
    )


def _by_kind(board: Leaderboard, generative: Collection[str]) -> Leaderboard:
    """The board grouped into masking and generative separators if its metric cannot rank both."""
    kinds = {row.model in generative for row in board.rows}
    if len(kinds) < 2 or described(board.series.protocol, board.series.metric).across_kinds:
        return board
    rows = [
        replace(row, kind="generative" if row.model in generative else "masking")
        for row in board.rows
    ]
    return replace(board, rows=tuple(sorted(rows, key=lambda row: row.kind == "generative")))


def _board(grid: SeriesArray, way: Aggregation) -> Leaderboard:
    about = described(grid.series.protocol, grid.series.metric)
    values = grid.values(way.frames)
    low, high = bootstrap_columns(values.T, way.tracks)
    expected = int((~np.isnan(grid.ill_conditioned)).any(axis=0).sum())
    rows = []
    for place in np.flatnonzero(grid.listed):
        own = values[place][~np.isnan(values[place])]
        summary = _summary(own, way)
        flagged = grid.ill_conditioned[place].astype(np.float64)
        rows.append(
            Row(
                grid.models[place],
                summary,
                number(low[place]),
                number(high[place]),
                len(own),
                expected,
                1.0 - float(grid.given[place].sum(dtype=np.float64)) / max(expected, 1),
                float(np.nanmean(flagged)),
            )
        )
    higher = about.direction == "higher"
    rows.sort(key=_best_first(higher))
    return Leaderboard(grid.series, way.name, tuple(rows), higher, about.unit)


def _summary(values: npt.NDArray[np.float64], way: Aggregation) -> float | None:
    if not len(values):
        return None
    return float(np.median(values) if way.tracks == "median" else np.mean(values))


def described(protocol: str, metric: str) -> Metric:
    """The catalogue entry of a metric; an unknown metric counts as decibels, higher is better."""
    try:
        return metrics.metric(protocol, metric)
    except UnknownNameError:
        return Metric(metric, "dB", float("-inf"), float("inf"))


def number(value: float) -> float | None:
    """A finite number, or None."""
    return float(value) if np.isfinite(value) else None


def _best_first(higher: bool) -> Callable[[Row], tuple[bool, float, str]]:
    sign = -1.0 if higher else 1.0
    return lambda row: (row.value is None, sign * (row.value or 0.0), row.model)


def _place(order: tuple[str, ...], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _order(series: Series) -> tuple[Any, ...]:
    return (
        series.dataset,
        -len(series.references.split("+")),
        series.references,
        _place(TARGETS, series.target),
        series.target,
        _place(PROTOCOLS, series.protocol),
        series.protocol,
        _place(METRICS, series.metric),
        series.metric,
        -series.version,
    )


def usual(ways: dict[str, Leaderboard]) -> Leaderboard:
    """The board under the default aggregation of the protocol."""
    first = next(iter(ways.values()))
    try:
        return ways.get(metrics.protocol(first.series.protocol).aggregation, first)
    except UnknownNameError:
        return first


def _headline(made: dict[Series, dict[str, Leaderboard]]) -> Leaderboard:
    """The board that most models share, with the most preferred protocol and target.

    Models that were only rated, such as the anchor of a listening test, are not counted.
    With masking and generative separators, a metric that can rank both is preferred.
    """
    scored = {
        row.model
        for series, ways in made.items()
        if series.protocol != LISTENING.name
        for row in usual(ways).rows
    }
    split = any(row.kind for ways in made.values() for row in usual(ways).rows)

    def trust(series: Series) -> int:
        known = described(series.protocol, series.metric).across_kinds
        return _place(metrics.ACROSS_KINDS, series.protocol) if known else len(made) + 99

    def worth(series: Series) -> tuple[Any, ...]:
        board = usual(made[series])
        return (
            not series.ranks,
            -sum(row.model in scored for row in board.rows),
            trust(series) if split else 0,
            _place(PROTOCOLS, series.protocol),
            _place(METRICS, series.metric),
            *_order(series),
        )

    return usual(made[min(made, key=worth)])
