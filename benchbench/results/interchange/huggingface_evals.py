"""Evaluation results as Hugging Face reads them: ``.eval_results/*.yaml`` and ``eval.yaml``.

A model repository holds its numbers in ``.eval_results/``; the repository of the data set that is
the benchmark describes its tasks in ``eval.yaml``. A task is one metric of one target, so numbers of
different protocols, reference sets or aggregations are never one task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml

from benchbench.errors import UsageError
from benchbench.io.atomic import write_whole
from benchbench.io.names import file_names
from benchbench.metrics.targets import in_order

__all__ = ["EVAL_RESULTS", "export_evals", "require_repository"]

EVAL_RESULTS: Final = Path(".eval_results") / "benchbench.yaml"
"""The file of a model repository that holds the numbers."""
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def require_repository(name: str) -> str:
    """The name of a repository, if it has the form ``owner/name``.

    Raises
    ------
    UsageError
    """
    if not _REPOSITORY.fullmatch(name):
        raise UsageError(
            f"{name!r} is no repository.",
            hint="It is written as owner/name, such as my-lab/my-model.",
        )
    return name


def export_evals(
    leaders: pd.DataFrame,
    out: Path | str,
    benchmark: str,
    facts: Mapping[str, Mapping[str, Any]],
    dates: Mapping[str, str],
) -> list[Path]:
    """Write ``OUT/MODEL/.eval_results/benchbench.yaml`` and ``OUT/eval.yaml``.

    Parameters
    ----------
    leaders
        Rows of `benchbench.stats.leaderboard` of one data set.
    out
        The folder to write to.
    benchmark
        The repository of the data set that holds ``eval.yaml``, as ``owner/name``.
    facts
        For each model its facts in ``run.json``.
    dates
        For each model the day of its newest run, as ``2026-01-31``.

    Returns
    -------
    list of Path
        The files. A task is named after protocol, metric, target and, where a target is scored
        against several reference sets, the reference set.

    Raises
    ------
    UsageError
        When `benchmark` is no repository, or the rows are of several data sets.
    """
    require_repository(benchmark)
    datasets = sorted(map(str, leaders["dataset"].unique()))
    if len(datasets) > 1:
        raise UsageError(
            f"A benchmark is one data set; these are {', '.join(datasets)}.",
            hint="Choose one with --dataset.",
        )
    rows = leaders[leaders["band_lo_hz"].isna()].dropna(subset=["value"])
    rows = rows.assign(task=list(_tasks(rows)))
    folders = file_names(map(str, rows["model"].unique()))
    written = []
    for model, own in rows.groupby(rows["model"].astype("object"), sort=True):
        entries = [_entry(row, benchmark, str(model), facts, dates) for _, row in own.iterrows()]
        path = Path(out) / folders[str(model)] / EVAL_RESULTS
        written.append(write_whole(path, _text(sorted(entries, key=_task_of))))
    written.append(write_whole(Path(out) / "eval.yaml", _text(_benchmark(datasets[0], rows))))
    return written


def _task_of(entry: Mapping[str, Any]) -> str:
    return str(entry["dataset"]["task_id"])


def _tasks(rows: pd.DataFrame) -> Iterator[str]:
    """The identifier of each row's task: lower case, words joined by underscores."""
    sets = rows.groupby(["protocol", "metric", "target"], observed=True)["reference_set"].nunique()
    for _, row in rows.iterrows():
        words = [row["protocol"], row["metric"], row["target"]]
        if sets.loc[tuple(words)] > 1:
            words.append(f"{str(row['reference_set']).count('+') + 1}stems")
        yield re.sub(r"[^a-z0-9]+", "_", " ".join(map(str, words)).lower()).strip("_")


def _entry(
    row: pd.Series,
    benchmark: str,
    model: str,
    facts: Mapping[str, Mapping[str, Any]],
    dates: Mapping[str, str],
) -> dict[str, Any]:
    notes = [
        f"{row['aggregation']}, {int(row['tracks'])} of {int(row['expected'])} tracks, scored against "
        f"{str(row['reference_set']).replace('+', ', ')}, version {int(row['metric_version'])}"
    ]
    if pd.notna(row["lo"]):
        notes.append(f"95% interval {row['lo']:.2f} to {row['hi']:.2f}")
    about = facts.get(model, {})
    if about.get("oracle"):
        notes.append("oracle: it sees the references")
    if about.get("trained_on"):
        notes.append(f"trained on {', '.join(map(str, about['trained_on']))}")
    entry: dict[str, Any] = {
        "dataset": {"id": benchmark, "task_id": str(row["task"])},
        "value": round(float(row["value"]), 4),
    }
    if model in dates:
        entry["date"] = dates[model]
    return entry | {"notes": "; ".join(notes)}


def _benchmark(dataset: str, rows: pd.DataFrame) -> dict[str, Any]:
    targets = in_order(map(str, rows["target"].unique()))
    return {
        "name": f"Music source separation on {dataset}",
        "description": f"Separate {', '.join(targets)} from the mixtures of {dataset}; scored by benchbench.",
        "evaluation_framework": "benchbench",
        "tasks": [
            {"id": task, "config": "default", "split": "test"}
            for task in sorted(map(str, rows["task"].unique()))
        ],
    }


def _text(content: Any) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))
