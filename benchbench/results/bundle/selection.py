"""Which rows of a results folder are submitted: one data set, the newest rows of own models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.results.store import Results
from benchbench.stats.attempts import newest_separations

__all__ = ["Selection", "select"]


@dataclass(frozen=True)
class Selection:
    """The part of a results folder that a bundle holds.

    Parameters
    ----------
    results
        The folder.
    dataset
        The data set.
    models
        Names of the models, sorted.
    separations
        The newest separation of each model on each track.
    runs
        Records of the runs that computed them, oldest first.
    """

    results: Results
    dataset: str
    models: tuple[str, ...]
    separations: pd.DataFrame
    runs: tuple[dict[str, Any], ...]

    def scores(self, model: str) -> pa.Table:
        """The score rows of one model's newest separations."""
        newest = self.separations.loc[self.separations["model"] == model, "separation_id"]
        return self.results.scores(
            where=(pc.field("model") == model)
            & (pc.field("dataset") == self.dataset)
            & pc.field("separation_id").isin(pa.array([str(name) for name in newest], pa.string()))
        )

    @property
    def dataset_facts(self) -> dict[str, Any]:
        """What the newest run on the data set records about it: licence, hash, excerpts."""
        own = [run.get("dataset") or {} for run in self.runs]
        return next((facts for facts in reversed(own) if facts.get("name") == self.dataset), {})

    def separation_rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the newest separations, without the text that separators printed."""
        wanted = set(self.separations["separation_id"].astype(str))
        for row in self.results.separations().to_pylist():
            if row["separation_id"] in wanted:
                yield row | {"log_tail": None}


def select(results: Results, dataset: str | None, models: Sequence[str]) -> Selection:
    """The newest results of the models on one data set; imported results are never submitted.

    Raises
    ------
    NothingToCompareError
        When nothing was separated here.
    UnknownNameError, UsageError
        For a data set or a model without results, or several data sets and none chosen.
    """
    frame = results.separations_frame()
    every = results.runs()
    foreign = {str(run.get("run_id")) for run in every if run.get("imported")}
    frame = frame[~frame["run_id"].isin(foreign)]
    if frame.empty:
        raise NothingToCompareError(
            f"{results.root} holds no separations of your own.",
            hint="Make some with `bench run`; imported results are submitted by their authors.",
        )
    chosen = _dataset(sorted(map(str, frame["dataset"].unique())), dataset)
    frame = frame[frame["dataset"] == chosen]
    known = sorted(map(str, frame["model"].unique()))
    for name in models:
        if name not in known:
            raise UnknownNameError("model", name, known, where=f" on {chosen}")
    names = tuple(name for name in known if not models or name in models)
    newest = newest_separations(
        frame[frame["model"].isin(names)], [str(run.get("run_id")) for run in every]
    )
    used = set(newest["run_id"].astype(str))
    runs = tuple(run for run in every if str(run.get("run_id")) in used)
    return Selection(results, chosen, names, newest, runs)


def _dataset(known: Sequence[str], wanted: str | None) -> str:
    if wanted is None and len(known) > 1:
        raise UsageError(
            f"There are results of several data sets: {', '.join(known)}.",
            hint="Choose one with --dataset; a bundle holds one.",
        )
    if wanted is not None and wanted not in known:
        raise UnknownNameError("data set", wanted, known, where=" in these results")
    return wanted or known[0]
