"""The headline's values on every track, and the tracks where two models differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchbench.reporting.data.leaderboards import Leaderboard
from benchbench.reporting.data.score_arrays import SeriesArray
from benchbench.stats import AGGREGATIONS

__all__ = ["SHOWN", "Swing", "TrackTable", "swings", "track_table"]

SHOWN: Final = 1000
"""Rows that the page's table of tracks has."""


@dataclass(frozen=True, slots=True)
class TrackTable:
    """The value of every model on the first tracks; rows are (track, values), of `total` tracks."""

    models: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    total: int


@dataclass(frozen=True, slots=True)
class Swing:
    """Tracks where `first` beats `second` most and least: (track, first, second, difference)."""

    first: str
    second: str
    wins: tuple[tuple[str, float, float, float], ...]
    losses: tuple[tuple[str, float, float, float], ...]


def track_table(grid: SeriesArray, board: Leaderboard) -> TrackTable:
    """The values that the board aggregates, of at most `SHOWN` tracks."""
    shown = [row.model for row in board.rows]
    values = grid.values(AGGREGATIONS[board.aggregation].frames)
    chosen = values[[grid.models.index(name) for name in shown]]
    return TrackTable(
        tuple(shown),
        tuple(
            (track, tuple(None if np.isnan(value) else float(value) for value in chosen[:, place]))
            for place, track in enumerate(grid.tracks[:SHOWN])
        ),
        len(grid.tracks),
    )


def swings(grid: SeriesArray, board: Leaderboard, first: str, second: str, count: int = 5) -> Swing:
    """The tracks with the largest paired differences, in both directions."""
    values = grid.values(AGGREGATIONS[board.aggregation].frames)
    left, right = (values[grid.models.index(name)] for name in (first, second))
    rows = [
        (track, float(a), float(b), float(a - b))
        for track, a, b in zip(grid.tracks, left, right, strict=True)
        if not np.isnan(a - b)
    ]
    sign = 1 if board.higher_is_better else -1
    rows.sort(key=lambda row: -sign * row[3])
    wins = tuple(row for row in rows[:count] if sign * row[3] > 0)
    losses = tuple(row for row in rows[::-1][:count] if sign * row[3] < 0)
    return Swing(first, second, wins, losses)
