"""Boards: one row per model, one column per metric or per target."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from benchbench.errors import UnknownNameError
from benchbench.stats.aggregations import DEFAULT
from benchbench.stats.leaders import leaderboard

__all__ = ["board_of_metrics", "board_of_targets"]

MEAN = "mean"
"""Name of the column with the mean over targets."""


def board_of_metrics(
    scores: pd.DataFrame,
    aggregation: Mapping[str, str],
    lower_is_better: Collection[str] = (),
    order: Sequence[str] = (),
) -> pd.DataFrame:
    """Every model's number by every metric, best first within each target.

    Parameters
    ----------
    scores
        Score rows; numbers by frequency band are left out.
    aggregation
        Name of the aggregation by protocol.
    lower_is_better
        The columns, ``protocol/metric``, in which the lowest number is the best.
    order
        The order of the columns; columns that are not in it come last, by name.

    Returns
    -------
    DataFrame
        Index: dataset, target, reference_set, model. Columns: ``protocol/metric``. Rows are in the
        order of the first column, best first.
    """
    board = _broadband(scores, aggregation)
    if board.empty:
        return pd.DataFrame()
    wide = board.pivot_table(
        index=["dataset", "reference_set", "target", "model"],
        columns="column",
        values="value",
        sort=False,
    )
    place = {column: index for index, column in enumerate(order)}
    columns = sorted(map(str, wide.columns), key=lambda name: (place.get(name, len(place)), name))
    wide = wide[columns]
    wide = wide.rename_axis(columns=None)
    groups = wide.groupby(level=["dataset", "reference_set", "target"], sort=False)
    first = wide.columns[0]
    return pd.concat(
        [part.sort_values(first, ascending=first in lower_is_better) for _, part in groups]
    )


def board_of_targets(
    scores: pd.DataFrame,
    aggregation: Mapping[str, str],
    metric: str,
    lower_is_better: Collection[str] = (),
) -> pd.DataFrame:
    """Every model's number on every target by one metric, and the mean over targets.

    Parameters
    ----------
    scores, aggregation, lower_is_better
        As for `board_of_metrics`.
    metric
        ``protocol/metric``, such as ``usdr/SDR``.

    Returns
    -------
    DataFrame
        Index: dataset, reference_set, model. Columns: ``mean``, then the targets. The mean is
        missing for a model that lacks a target. Best mean first.

    Raises
    ------
    UnknownNameError
        When there are no scores by that metric.
    """
    board = _broadband(scores, aggregation)
    known = list(dict.fromkeys(board["column"]))
    if metric not in known:
        raise UnknownNameError("metric", metric, known, where=" in these scores")
    wide = board[board["column"] == metric].pivot_table(
        index=["dataset", "reference_set", "model"], columns="target", values="value", sort=False
    )
    wide = wide.rename_axis(columns=None)
    parts = []
    for _, part in wide.groupby(level=["dataset", "reference_set"], sort=False):
        targets = [name for name in part if part[name].notna().any()]
        mean = part[targets].mean(axis=1, skipna=False)
        ascending = metric in lower_is_better
        parts.append(part.assign(**{MEAN: mean}).sort_values(MEAN, ascending=ascending))
    return pd.concat(parts)[[MEAN, *wide.columns]]


def _broadband(scores: pd.DataFrame, aggregation: Mapping[str, str]) -> pd.DataFrame:
    wanted = scores[scores["band_lo_hz"].isna()]
    ways = {str(name): aggregation.get(str(name), DEFAULT) for name in wanted["protocol"].unique()}
    board = leaderboard(wanted, ways, resamples=2)  # its intervals are not used here
    return board.assign(column=board["protocol"] + "/" + board["metric"])
