"""Numbers as a tidy CSV: one row a number, every column named, nothing left to guess."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from benchbench.errors import UsageError
from benchbench.results.store import Results
from benchbench.stats import leaderboard, newest, per_track
from benchbench.stats.aggregations import DEFAULT

__all__ = ["tidy_csv"]

Level = Literal["frames", "tracks", "models"]


def tidy_csv(
    results: Results, level: Level = "tracks", *, aggregation: str = DEFAULT, digits: int = 5
) -> str:
    """Scores by frame, by track or by model as CSV.

    Parameters
    ----------
    results
        The results folder.
    level
        ``frames``: every stored number; ``tracks``: one a track; ``models``: the leaderboard with its
        intervals.
    aggregation
        For ``models``: a key of `benchbench.stats.AGGREGATIONS`. For ``tracks`` frames are summed up
        by their median.
    digits
        Decimals of the numbers.
    """
    scores = results.scores_frame()
    if scores.empty:
        raise UsageError(f"{results.root} holds no scores.", hint="Make some with `bench run`.")
    tables = {
        "frames": lambda: newest(scores).drop(columns=["cell_id", "separation_id"]),
        "tracks": lambda: per_track(scores),
        "models": lambda: leaderboard(scores, aggregation),
    }
    table: pd.DataFrame = tables[level]()
    order = [name for name in ("dataset", "model", "target", "protocol", "metric", "track")
             if name in table]  # fmt: skip
    plain = table.astype(dict.fromkeys(order, "object")).sort_values(order, kind="stable")
    text: str = plain.to_csv(index=False, float_format=f"%.{digits}f", lineterminator="\n")
    return text
