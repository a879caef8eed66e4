"""Selection of the newest run where several runs computed the same number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchbench.stats.groups import group_by

__all__ = ["newest_rows", "newest_separations", "run_ages"]

_SEPARATION = ("model", "dataset", "track")


def run_ages(runs: Sequence[str], order: Sequence[str] | None = None) -> list[int]:
    """The rank of each run in time, 0 for the oldest.

    Parameters
    ----------
    runs
        Ids of runs, each once.
    order
        Run ids, oldest first. Runs that are not in it come first, in alphabetical order, which is
        their order in time because run ids begin with their time.

    Examples
    --------
    >>> run_ages(["20260102-b", "20260101-a", "20260103-c"])
    [1, 0, 2]
    >>> run_ages(["b", "a"], order=["b", "a"])
    [0, 1]
    """
    known = {run: place for place, run in enumerate(order or ())}
    by_age = sorted(runs, key=lambda run: (known.get(run, -1), run))
    place = {run: index for index, run in enumerate(by_age)}
    return [place[run] for run in runs]


def newest_rows(
    scores: pd.DataFrame, keys: Sequence[str], order: Sequence[str] | None = None
) -> pd.DataFrame:
    """Of the rows that agree in `keys`, those of the newest run.

    Rows are never removed from a results folder: when a model's weights change, the rows of the old
    weights remain under the same name. Using both would average over different models.

    Parameters
    ----------
    scores
        Rows with a column ``run_id``.
    keys
        Columns that identify a number.
    order
        Run ids, oldest first; see `run_ages`.

    Returns
    -------
    DataFrame
        The rows that count; `scores` itself when there is one run.
    """
    if "run_id" not in scores or scores.empty:
        return scores
    runs = scores["run_id"].astype("category")
    names = list(runs.cat.categories)
    if len(names) < 2:
        return scores
    age = np.array(run_ages(names, order))[runs.cat.codes.to_numpy()]
    groups = group_by(scores, keys)
    latest = np.full(groups.count, -1)
    np.maximum.at(latest, groups.of_row, age)
    kept: pd.DataFrame = scores[age == latest[groups.of_row]]
    return kept


def newest_separations(
    separations: pd.DataFrame, order: Sequence[str] | None = None
) -> pd.DataFrame:
    """The newest attempt of every model on every track.

    Parameters
    ----------
    separations
        Rows of `benchbench.results.schema.SEPARATIONS`.
    order
        Run ids, oldest first; see `run_ages`.

    Returns
    -------
    DataFrame
        One row per model, data set and track.
    """
    runs = separations["run_id"].astype("category")
    age = np.array(run_ages(list(runs.cat.categories), order), np.int64)[runs.cat.codes.to_numpy()]
    by_age = np.argsort(age, kind="stable")
    groups = group_by(separations, _SEPARATION)
    last = np.empty(groups.count, np.int64)
    last[groups.of_row[by_age]] = np.arange(len(by_age))  # the newest of a group is written last
    newest = separations.iloc[by_age[np.sort(last)]]
    return newest.astype({"run_id": "object", **dict.fromkeys(_SEPARATION, "object")})
