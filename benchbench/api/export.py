"""Export results to the formats of other tools and of papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from benchbench.api.observers.tracking import TRACKERS, export_runs
from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.io.atomic import write_whole
from benchbench.metrics.names import HEADLINES
from benchbench.results.interchange import (
    export_evals,
    export_huggingface,
    export_museval,
    export_webmushra,
    latex_table,
    push_evals,
    tidy_csv,
    usual_aggregation,
)
from benchbench.results.kinds import BASELINES
from benchbench.results.store import Results, open_results
from benchbench.stats import leaderboard

__all__ = ["FORMS", "export"]

FORMS: Final = {
    "museval": "museval's JSON files, one per track",
    "csv": "a tidy CSV: frames, tracks or models",
    "latex": "a table with booktabs rules",
    "webmushra": "a listening test: YAML and stimuli",
    "huggingface": "JSON for a leaderboard space, one file per model",
    "mlflow": "one run of MLflow per run, in an SQLite file or on a server",
    "tensorboard": "one folder of TensorBoard per run",
    "wandb": "one run of W&B per run, offline",
}


def export(
    form: str,
    out: Path | str,
    results: Path | str = "results",
    *,
    protocol: str | None = None,
    metric: str = "SDR",
    dataset: str | None = None,
    aggregation: str | None = None,
    level: Literal["frames", "tracks", "models"] = "tracks",
    target: str = "vocals",
    models: Sequence[str] = (),
    tracks: Sequence[str] = (),
    seconds: float = 10.0,
    intervals: bool = False,
    benchmark: str = "",
    push: Mapping[str, str] | None = None,
) -> list[Path]:
    """Export results.

    Parameters
    ----------
    form
        A key of `FORMS`.
    out
        The file (csv, latex) or folder (all others) to write; for mlflow also an address.
    results
        The results folder.
    protocol, metric, dataset
        The content of a table. By default the first stored protocol of bsseval-v4, bsseval-v3,
        usdr and si; the data set may be left out if there is only one.
    aggregation
        A key of `benchbench.stats.AGGREGATIONS`; by default that of the protocol.
    level
        For csv: one row per frame, track or model.
    target, tracks, seconds
        For webmushra: the target, the tracks and the length of the excerpts.
    models
        Only these models; by default all.
    intervals
        For latex: print the 95% intervals.
    benchmark
        For huggingface: the repository of the data set, ``owner/name``; then ``.eval_results`` of
        every model and ``eval.yaml`` of the data set are written too.
    push
        For huggingface: model -> repository, to open pull requests with these files there.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UnknownNameError
        For a form, a data set or an aggregation that does not exist.
    NothingToCompareError
        When there is nothing to export.

    Examples
    --------
    >>> import benchbench
    >>> benchbench.export("csv", "scores.csv", "results")
    [PosixPath('scores.csv')]
    """
    if form not in FORMS:
        raise UnknownNameError("form", form, FORMS)
    folder = open_results(Path(results))
    if form in TRACKERS:
        return export_runs(form, out, folder)
    if form == "museval":
        return export_museval(
            folder, out, protocol=protocol or HEADLINES[0][0], dataset=dataset, models=models
        )
    if form == "webmushra":
        return export_webmushra(
            folder, out, target=target, models=models, tracks=tracks, seconds=seconds
        )
    if form == "csv":
        return [write_whole(Path(out), tidy_csv(folder, level, aggregation=aggregation))]
    if form == "huggingface":
        board = _leaders(folder, None, dataset, models, aggregation)
        written = export_huggingface(board, out, _facts(folder))
        if benchmark:
            written += export_evals(board, out, benchmark, _facts(folder), _dates(folder))
        elif push:
            raise UsageError("Nothing to push without --benchmark owner/name.")
        if push:
            push_evals(Path(out), push)
        return written
    protocol = protocol or _usual_protocol(folder)
    board = _leaders(folder, protocol, dataset, models, aggregation or usual_aggregation(protocol))
    oracles, baselines = _without_rank(folder)
    text = latex_table(
        board, metric=metric, oracles=oracles, baselines=baselines, intervals=intervals
    )
    return [write_whole(Path(out), text)]


def _leaders(
    folder: Results,
    protocol: str | None,
    dataset: str | None,
    models: Sequence[str],
    aggregation: str | None,
) -> pd.DataFrame:
    scores = folder.scores_frame()
    for column, wanted in (("protocol", protocol), ("dataset", dataset)):
        known = [str(name) for name in scores[column].unique()]
        if wanted is not None and wanted not in known:
            raise UnknownNameError(column, wanted, known, where=f" in {folder.root}")
        if wanted is not None:
            scores = scores[scores[column] == wanted]
    if models:
        scores = scores[scores["model"].isin(list(models))]
    if scores.empty:
        raise NothingToCompareError(f"{folder.root} holds no such scores.")
    ways = {
        str(name): aggregation or usual_aggregation(str(name))
        for name in scores["protocol"].unique()
    }
    return leaderboard(scores, ways)


def _usual_protocol(folder: Results) -> str:
    """The most published protocol that is stored; the first of `HEADLINES` if none of them is."""
    stored = set(folder.scores(columns=["protocol"]).column("protocol").to_pylist())
    return next((name for name, _ in HEADLINES if name in stored), HEADLINES[0][0])


def _without_rank(folder: Results) -> tuple[frozenset[str], frozenset[str]]:
    """The oracles, and the baselines."""
    models = _facts(folder)
    oracles = frozenset(name for name, facts in models.items() if facts.get("oracle"))
    baselines = frozenset(
        name
        for name, facts in models.items()
        if facts.get("baseline") or name.partition(":")[0] in BASELINES
    )
    return oracles, baselines


def _facts(folder: Results) -> dict[str, dict[str, Any]]:
    """The facts about each model from its newest run."""
    return {
        str(model["name"]): dict(model) for run in folder.runs() for model in run.get("models", [])
    }


def _dates(folder: Results) -> dict[str, str]:
    """The day of each model's newest run."""
    return {
        str(model["name"]): str(run["started"])[:10]
        for run in folder.runs()
        for model in run.get("models", [])
        if run.get("started")
    }
