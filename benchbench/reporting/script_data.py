"""The data that a page's script reads, in a compact form that keeps two decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchbench.reporting.data.leaderboards import Leaderboard, Leaderboards, usual
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.score_arrays import ScoreArrays, Series, SeriesArray
from benchbench.reporting.figures.shapes import SHAPES
from benchbench.reporting.sections.citations import Citations
from benchbench.reporting.sections.differences import Difference

__all__ = ["payload", "short"]


def payload(
    data: ScoreArrays,
    made: Leaderboards,
    competing: dict[str, ReportModel],
    fought: Sequence[Difference] = (),
    cited: Citations | None = None,
    gaps: Mapping[Series, Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """Models, tracks, series, boards and per-track values, lists in the order of `competing`."""
    place = {name: report_model.index for name, report_model in competing.items()}
    order = [data.models.index(name) for name in competing]
    return {
        "models": [_entrant(report_model) for report_model in competing.values()],
        "shapes": SHAPES,
        "tracks": data.tracks,
        "series": [_series(series, made.by_series[series]) for series in made.by_series],
        "boards": [
            {name: _board(board, place) for name, board in ways.items()}
            for ways in made.by_series.values()
        ],
        "values": [_values(data.grids[series], order) for series in made.by_series],
        "tied": {
            one.index: {one.board.aggregation: [place[name] for name in one.tied]} for one in fought
        },
        "gaps": {
            index: {place[name]: text for name, text in (gaps or {}).get(series, {}).items()}
            for index, series in enumerate(made.by_series)
            if (gaps or {}).get(series)
        },
        "published": _published(made, cited or Citations()),
        "headline": list(made.by_series).index(made.headline.series),
    }


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
