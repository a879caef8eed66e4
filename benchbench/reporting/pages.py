"""Everything that a page shows, worked out before any template runs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from benchbench.plots.axes import Axis, linear
from benchbench.reporting.boards import Board, Boards, boards
from benchbench.reporting.contests import Contest, contest
from benchbench.reporting.cubes import Cube, Grid, Series, cube
from benchbench.reporting.entrants import Entrant, entrants
from benchbench.reporting.origins import facts
from benchbench.reporting.readings import Reading
from benchbench.reporting.rendering import data_block
from benchbench.reporting.verdicts import Verdict, verdict

__all__ = ["Page", "assemble"]

NAVIGATION: Final = (
    ("leaderboard", "Leaderboard"),
    ("tracks", "Tracks"),
    ("reproduce", "Reproduce"),
)


@dataclass(frozen=True)
class Page:
    """What the templates may use.

    Parameters
    ----------
    title
        Of the window and the page.
    dataset
        The facts of the data set that the headline is about.
    board, boards
        The headline, and everything a reader may switch to.
    data
        The numbers that the page's script works with.
    """

    title: str
    audio: str
    baseline: str
    dataset: dict[str, Any]
    run: dict[str, Any]
    runs: tuple[dict[str, Any], ...]
    board: Board
    boards: Boards
    entrants: dict[str, Entrant]
    contest: Contest
    verdict: Verdict
    tracks: TrackTable
    data: Markup
    axis: Axis
    ranks: dict[str, str]
    facts: tuple[tuple[str, str], ...]
    command: str
    navigation: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrackTable:
    """The headline number of every model on every track."""

    models: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


def assemble(reading: Reading, *, baseline: str | None = None, audio: str = "excerpts") -> Page:
    """Work out what the page shows."""
    data = cube(reading.tracks)
    made = boards(data)
    board = made.headline
    names = [row.model for row in board.rows]
    names += sorted(set(data.models) - set(names))
    competing = {found.name: found for found in entrants(reading, names, board.series.dataset)}
    duel = contest(data.grids[board.series], board)
    said = verdict(board, duel, competing)
    run = _run_of(reading, board.series.dataset)
    return Page(
        audio=audio,
        title=f"{board.series.dataset}: {len(names)} separators compared",
        baseline=baseline or said.leader or names[0],
        dataset=run.get("dataset") or {"name": board.series.dataset},
        run=run,
        runs=reading.runs,
        board=board,
        boards=made,
        entrants=competing,
        contest=duel,
        verdict=said,
        tracks=_tracks(data, board),
        data=data_block(_data(data, made, competing)),
        axis=board_axis(board),
        ranks=ranks(board, competing),
        facts=facts(run),
        command=shlex.join(map(str, run.get("command") or ())),
        navigation=NAVIGATION,
    )


def board_axis(board: Board) -> Axis:
    """An axis that holds every value and interval of a board."""
    values = [
        value for row in board.rows for value in (row.value, row.low, row.high) if value is not None
    ]
    return linear(values, 6, 234, count=4)


def ranks(board: Board, competing: dict[str, Entrant]) -> dict[str, str]:
    """The rank of every model; models that saw the references have none."""
    answer, place = {}, 0
    for row in board.rows:
        ranked = row.value is not None and competing[row.model].ranked
        place += ranked
        answer[row.model] = str(place) if ranked else "–"
    return answer


def _run_of(reading: Reading, dataset: str) -> dict[str, Any]:
    """The newest run on that data set, or the newest at all."""
    own = [run for run in reading.runs if (run.get("dataset") or {}).get("name") == dataset]
    return (own or list(reading.runs) or [{}])[-1]


def _tracks(data: Cube, board: Board) -> TrackTable:
    grid = data.grids[board.series]
    shown = [row.model for row in board.rows]
    values = grid.medians[[grid.models.index(name) for name in shown]]
    return TrackTable(
        tuple(shown),
        tuple(
            (track, tuple(_plain(value) for value in values[:, place]))
            for place, track in enumerate(grid.tracks)
        ),
    )


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 2)


def _data(data: Cube, made: Boards, competing: dict[str, Entrant]) -> dict[str, Any]:
    """The numbers behind the interactive tables, in the fewest signs that keep two decimals."""
    place = {name: entrant.index for name, entrant in competing.items()}
    order = [data.models.index(name) for name in competing]
    return {
        "models": [_entrant_data(entrant) for entrant in competing.values()],
        "tracks": data.tracks,
        "series": [_series_data(series, made.by_series[series]) for series in made.by_series],
        "boards": [
            {name: _board_data(board, place) for name, board in ways.items()}
            for ways in made.by_series.values()
        ],
        "values": [_values_data(data.grids[series], order) for series in made.by_series],
        "headline": list(made.by_series).index(made.headline.series),
    }


def _entrant_data(entrant: Entrant) -> dict[str, Any]:
    cost = entrant.cost
    return {
        "name": entrant.name,
        "slug": entrant.slug,
        "oracle": entrant.oracle,
        "badges": [[badge.key, badge.label, badge.meaning] for badge in entrant.badges],
        "rtf": None if cost.real_time_factor is None else float(f"{cost.real_time_factor:.4g}"),
        "memory": cost.peak_bytes,
        "parameters": cost.parameters,
    }


def _series_data(series: Series, ways: dict[str, Board]) -> dict[str, Any]:
    first = next(iter(ways.values()))
    return {
        "dataset": series.dataset,
        "references": series.references,
        "target": series.target,
        "protocol": series.protocol,
        "metric": series.metric,
        "version": series.version,
        "unit": first.unit,
        "higher": first.higher_is_better,
    }


def _board_data(board: Board, place: dict[str, int]) -> list[list[float | int | None]]:
    return [
        [
            place[row.model],
            short(row.value),
            short(row.low),
            short(row.high),
            row.tracks,
            row.expected,
            short(row.missing, 4),
            short(row.ill_conditioned, 4),
        ]
        for row in board.rows
    ]


def short(value: float | None, digits: int = 2) -> float | None:
    """Rounded, and None for what is no number."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _values_data(grid: Grid, order: list[int]) -> dict[str, list[list[float | None]]]:
    answer = {"median": _rounded(grid.medians[order])}
    if grid.framed:
        answer["mean"] = _rounded(grid.means[order])
    return answer


def _rounded(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[float | None]]:
    return [[short(value) for value in row] if not np.isnan(row).all() else [] for row in values]
