"""Everything that a page shows, worked out before any template runs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup

from benchbench.plots.axes import Axis, linear
from benchbench.reporting.boards import Board, Boards, Series, boards, matrix
from benchbench.reporting.contests import Contest, contest
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
    made = boards(reading)
    board = made.headline
    names = [row.model for row in board.rows]
    everyone = [str(name) for name in reading.medians["model"].unique()]
    names += sorted(set(everyone) - set(names))
    competing = {found.name: found for found in entrants(reading, names, board.series.dataset)}
    duel = contest(rows_of(reading, board), board)
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
        tracks=_tracks(reading, board),
        data=data_block(_data(reading, made, competing)),
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
        ranked = row.value is not None and not competing[row.model].oracle
        place += ranked
        answer[row.model] = str(place) if ranked else "–"
    return answer


def rows_of(reading: Reading, board: Board) -> pd.DataFrame:
    """The per-track rows that a board was made from."""
    series = board.series
    table = reading.means if "frame means" in board.aggregation else reading.medians
    return table[
        (table["dataset"] == series.dataset)
        & (table["reference_set"] == series.references)
        & (table["target"] == series.target)
        & (table["protocol"] == series.protocol)
        & (table["metric"] == series.metric)
        & (table["metric_version"] == series.version)
        & table["band_lo_hz"].isna()
    ]


def _run_of(reading: Reading, dataset: str) -> dict[str, Any]:
    """The newest run on that data set, or the newest at all."""
    own = [run for run in reading.runs if (run.get("dataset") or {}).get("name") == dataset]
    return (own or list(reading.runs) or [{}])[-1]


def tracks_of(reading: Reading, dataset: str) -> list[str]:
    """All tracks of a data set that have rows, by name."""
    rows = reading.medians[reading.medians["dataset"] == dataset]
    return sorted(str(name) for name in rows["track"].unique())


def _tracks(reading: Reading, board: Board) -> TrackTable:
    tracks = tracks_of(reading, board.series.dataset)
    shown = [row.model for row in board.rows]
    values = matrix(reading.medians, board.series, shown, tracks)
    return TrackTable(
        tuple(shown),
        tuple(
            (track, tuple(_plain(value) for value in values[:, place]))
            for place, track in enumerate(tracks)
        ),
    )


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 2)


def _data(reading: Reading, made: Boards, competing: dict[str, Entrant]) -> dict[str, Any]:
    """The numbers behind the interactive tables, in the fewest signs that keep two decimals."""
    place = {name: entrant.index for name, entrant in competing.items()}
    tracks = {
        dataset: tracks_of(reading, dataset)
        for dataset in sorted({series.dataset for series in made.by_series})
    }
    return {
        "models": [_entrant_data(entrant) for entrant in competing.values()],
        "tracks": tracks,
        "series": [_series_data(series, made.by_series[series]) for series in made.by_series],
        "boards": [
            {name: _board_data(board, place) for name, board in ways.items()}
            for ways in made.by_series.values()
        ],
        "values": [
            _values_data(reading, series, ways, list(competing), tracks[series.dataset])
            for series, ways in made.by_series.items()
        ],
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


def _values_data(
    reading: Reading, series: Series, ways: dict[str, Board], names: list[str], tracks: list[str]
) -> dict[str, list[list[float | None]]]:
    answer = {"median": _rounded(matrix(reading.medians, series, names, tracks))}
    if any("frame means" in name for name in ways):
        answer["mean"] = _rounded(matrix(reading.means, series, names, tracks))
    return answer


def _rounded(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[float | None]]:
    return [[short(value) for value in row] if not np.isnan(row).all() else [] for row in values]
