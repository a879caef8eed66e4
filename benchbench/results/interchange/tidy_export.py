"""Export numbers as a tidy CSV: one row per number, every column named."""

from __future__ import annotations

from typing import Final, Literal

import pandas as pd

from benchbench.errors import UnknownNameError, UsageError
from benchbench.io.spreadsheet import spreadsheet_safe
from benchbench.metrics import protocol as protocol_named
from benchbench.results.store import Results
from benchbench.stats import AGGREGATIONS, leaderboard, newest, per_track
from benchbench.stats.aggregations import DEFAULT

__all__ = ["tidy_csv", "usual_aggregation"]

Level = Literal["frames", "tracks", "models"]

_NAMES: Final = ("model", "dataset", "track", "target", "reference_set", "protocol", "metric")


def usual_aggregation(protocol: str) -> str:
    """The usual aggregation of a protocol; the default for an imported protocol."""
    try:
        name = protocol_named(protocol).aggregation
    except (UnknownNameError, UsageError):
        return DEFAULT
    return name if name in AGGREGATIONS else DEFAULT


def tidy_csv(
    results: Results, level: Level = "tracks", *, aggregation: str | None = None, digits: int = 5
) -> str:
    """Scores by frame, by track or by model as CSV.

    Parameters
    ----------
    results
        The results folder.
    level
        ``frames``: every stored number; ``tracks``: one per track; ``models``: the leaderboard with
        its intervals.
    aggregation
        For ``models``: a key of `benchbench.stats.AGGREGATIONS`; by default the protocol's usual one.
        For ``tracks`` the median over frames is used.
    digits
        Decimals of the numbers.

    Returns
    -------
    str
        Names that begin like a spreadsheet formula are prefixed with an apostrophe, which
        `import_table` removes.

    Raises
    ------
    UsageError
        When the folder holds no scores.
    """
    scores = results.scores_frame()
    if scores.empty:
        raise UsageError(f"{results.root} holds no scores.", hint="Make some with `bench run`.")
    ways = {
        str(name): aggregation or usual_aggregation(str(name))
        for name in scores["protocol"].unique()
    }
    tables = {
        "frames": lambda: newest(scores).drop(columns=["cell_id", "separation_id"]),
        "tracks": lambda: per_track(scores),
        "models": lambda: leaderboard(scores, ways),
    }
    table: pd.DataFrame = tables[level]()
    order = [name for name in ("dataset", "model", "target", "protocol", "metric", "track")
             if name in table]  # fmt: skip
    plain = table.astype(dict.fromkeys(order, "object")).sort_values(order, kind="stable")
    for name in (name for name in _NAMES if name in plain):
        plain[name] = [spreadsheet_safe(str(text)) for text in plain[name]]
    text: str = plain.to_csv(index=False, float_format=f"%.{digits}f", lineterminator="\n")
    return text
