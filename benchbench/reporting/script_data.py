"""The numbers that a page's script works with, in the fewest signs that keep two decimals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchbench.reporting.data.leaderboards import Board, Boards, usual
from benchbench.reporting.data.models import Entrant
from benchbench.reporting.data.score_arrays import Cube, Grid, Series
from benchbench.reporting.figures.shapes import SHAPES
from benchbench.reporting.sections.citations import Citations
from benchbench.reporting.sections.differences import Round

__all__ = ["payload", "short"]


def payload(
    data: Cube,
    made: Boards,
    competing: dict[str, Entrant],
    fought: Sequence[Round] = (),
    cited: Citations | None = None,
) -> dict[str, Any]:
    """Models, tracks, series, boards and per-track values, lists in the order of `competing`."""
    place = {name: entrant.index for name, entrant in competing.items()}
    order = [data.models.index(name) for name in competing]
    return {
        "models": [_entrant(entrant) for entrant in competing.values()],
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
        "published": _published(made, cited or Citations()),
        "headline": list(made.by_series).index(made.headline.series),
    }


def _entrant(entrant: Entrant) -> dict[str, Any]:
    cost = entrant.cost
    factor = cost.real_time_factor
    return {
        "name": entrant.name,
        "slug": entrant.slug,
        "ranked": entrant.ranked,
        "oracle": entrant.oracle,
        "badges": [[badge.key, badge.label, badge.meaning] for badge in entrant.badges],
        "rtf": None if factor is None else float(f"{factor:.4g}"),
        "memory": cost.peak_bytes,
        "parameters": cost.parameters,
    }


def _published(made: Boards, cited: Citations) -> dict[int, dict[str, list[list[Any]]]]:
    return {
        index: {
            name: [[one.model, one.value, one.oracle, one.extra_data, one.source] for one in held]
            for name, held in cited.by_series[series].items()
        }
        for index, series in enumerate(made.by_series)
        if series in cited.by_series
    }


def _series(series: Series, ways: dict[str, Board]) -> dict[str, Any]:
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
    }


def _board(board: Board, place: dict[str, int]) -> list[list[float | int | None]]:
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
    """Rounded, and None for what is no number."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _values(grid: Grid, order: list[int]) -> dict[str, list[list[float | None]]]:
    answer = {"median": _rounded(grid.medians[order])}
    if grid.framed:
        answer["mean"] = _rounded(grid.means[order])
    return answer


def _rounded(values: npt.NDArray[np.float64]) -> list[list[float | None]]:
    return [[short(value) for value in row] if not np.isnan(row).all() else [] for row in values]
