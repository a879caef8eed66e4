"""The data that a page's script reads, in a compact form that keeps two decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchbench.reporting.data.leaderboards import Leaderboard, Leaderboards, usual
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.score_arrays import ScoreArrays, Series, SeriesArray
from benchbench.reporting.figures.shapes import SHAPES
from benchbench.reporting.sections.citations import Citations
from benchbench.reporting.sections.differences import Difference

__all__ = ["payload", "series_data", "short"]

NUMBERS: Final = 2_000_000
"""Values of tracks that a page holds: about 12 MB. With more, its tables of tracks are fixed."""
ROWS: Final = 3000
"""Rows of leaderboards that the index of a site holds; the rest is fetched when it is chosen."""


def payload(
    data: ScoreArrays,
    made: Leaderboards,
    competing: dict[str, ReportModel],
    fought: Sequence[Difference] = (),
    cited: Citations | None = None,
    gaps: Mapping[Series, Mapping[str, str]] | None = None,
    *,
    values: bool = True,
    more: str | None = None,
) -> dict[str, Any]:
    """Models, tracks, series, boards and per-track values, lists in the order of `competing`.

    Parameters
    ----------
    data, made, competing, fought, cited, gaps
        What a page shows.
    values
        Whether the values of every track are included, if there are at most `NUMBERS`.
    more
        Address of further files: the page then has one board of the headline's and of as many other
        series as `ROWS` allows, and ``<more><series>.json`` holds all (see `series_data`).
    """
    place = {name: report_model.index for name, report_model in competing.items()}
    order = [data.models.index(name) for name in competing]
    shown = _shown(made) if more else made.by_series
    gaps = {series: (gaps or {})[series] for series in shown if series in (gaps or {})}
    numbers = sum(data.grids[series].medians.size for series in made.by_series)
    values = values and numbers <= NUMBERS
    return {
        "models": [_entrant(report_model) for report_model in competing.values()],
        "shapes": SHAPES,
        "tracks": data.tracks if values else {},
        "series": [_series(series, made.by_series[series]) for series in made.by_series],
        "boards": [boards_of(shown.get(series, {}), competing) for series in made.by_series],
        "more": more,
        "values": [_values(data.grids[series], order) for series in made.by_series]
        if values
        else [],
        "tied": {
            one.index: {one.board.aggregation: [place[name] for name in one.tied]} for one in fought
        },
        "gaps": {
            index: gaps_of(gaps[series], competing)
            for index, series in enumerate(made.by_series)
            if gaps.get(series)
        },
        "published": _published(made, cited or Citations()),
        "headline": list(made.by_series).index(made.headline.series),
    }


def _shown(made: Leaderboards) -> dict[Series, dict[str, Leaderboard]]:
    """The usual boards that a page with further files holds itself, the headline's metric first."""
    head = made.headline.series

    def distance(series: Series) -> tuple[bool, ...]:
        return series != head, (series.protocol, series.metric) != (head.protocol, head.metric)

    rows, shown = 0, {}
    for series in sorted(made.by_series, key=distance):
        board = usual(made.by_series[series])
        rows += len(board.rows)
        if series == head or rows <= ROWS:
            shown[series] = {board.aggregation: board}
    return shown


def series_data(
    ways: Mapping[str, Leaderboard],
    competing: Mapping[str, ReportModel],
    gaps: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """All boards of one series, and why models lack numbers there."""
    return {"boards": boards_of(ways, competing), "gaps": gaps_of(gaps or {}, competing)}


def gaps_of(gaps: Mapping[str, str], competing: Mapping[str, ReportModel]) -> dict[int, str]:
    """Why models lack numbers, by their position in the page's list."""
    return {competing[name].index: text for name, text in gaps.items()}


def boards_of(
    ways: Mapping[str, Leaderboard], competing: Mapping[str, ReportModel]
) -> dict[str, list[list[float | int | None]]]:
    """The rows of a series' boards by aggregation, models by their position in the page's list."""
    place = {name: report_model.index for name, report_model in competing.items()}
    return {name: _board(board, place) for name, board in ways.items()}


def _entrant(report_model: ReportModel) -> dict[str, Any]:
    cost = report_model.cost
    factor = cost.real_time_factor
    return {
        "name": report_model.name,
        "slug": report_model.slug,
        "ranked": report_model.ranked,
        "oracle": report_model.oracle,
        "generative": report_model.generative,
        "badges": [[badge.key, badge.label, badge.meaning] for badge in report_model.badges],
        "rtf": None if factor is None else float(f"{factor:.4g}"),
        "memory": cost.peak_bytes,
        "parameters": cost.parameters,
    }


def _published(made: Leaderboards, cited: Citations) -> dict[int, dict[str, list[list[Any]]]]:
    return {
        index: {
            name: [
                [one.model, one.value, one.oracle, one.extra_data, one.source, one.baseline]
                for one in held
            ]
            for name, held in cited.by_series[series].items()
        }
        for index, series in enumerate(made.by_series)
        if series in cited.by_series
    }


def _series(series: Series, ways: dict[str, Leaderboard]) -> dict[str, Any]:
    board = usual(ways)
    return {
        "dataset": series.dataset,
        "references": series.references,
        "target": series.target,
        "protocol": series.protocol,
        "metric": series.metric,
        "version": series.version,
        "unit": board.unit,
        "higher": board.higher_is_better,
        "usual": board.aggregation,
        "ranks": series.ranks,
        "ways": list(ways),
        "split": any(row.kind for row in board.rows),
    }


def _board(board: Leaderboard, place: dict[str, int]) -> list[list[float | int | None]]:
    return [
        [
            place[row.model],
            short(row.value),
            short(row.low),
            short(row.high),
            row.tracks,
            row.expected,
            short(row.missing, 4),
        ]
        for row in board.rows
    ]


def short(value: float | None, digits: int = 2) -> float | None:
    """The rounded value; None if it is not a finite number."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _values(grid: SeriesArray, order: list[int]) -> dict[str, list[list[float | None]]]:
    answer = {"median": _rounded(grid.medians[order])}
    if grid.framed:
        answer["mean"] = _rounded(grid.means[order])
    return answer


def _rounded(values: npt.NDArray[np.float64]) -> list[list[float | None]]:
    return [[short(value) for value in row] if not np.isnan(row).all() else [] for row in values]
