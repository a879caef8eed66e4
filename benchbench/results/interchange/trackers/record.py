"""The data of one run for a tracker: parameters, metrics, values per track, files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchbench.io.plain_files import is_plain_below
from benchbench.results.interchange.tidy_export import usual_aggregation
from benchbench.results.store import Results
from benchbench.stats import leaderboard, per_track

__all__ = ["TrackedRun", "plain_names", "tracked_runs"]

HASHES = ("adapter_hash", "weights_hash", "options_hash")
NOT_PLAIN = re.compile(r"[^A-Za-z0-9_./ -]+")


@dataclass(frozen=True)
class TrackedRun:
    """One run in the form that trackers take.

    Parameters
    ----------
    run_id, dataset
        The run's name, and its data set's.
    parameters
        Versions, options and hashes.
    metrics
        ``protocol/metric/target/model`` mapped to the leaderboard's number; ``speed/model`` mapped
        to the model's speed as a multiple of real time.
    series
        The same names mapped to the value of each track, in the order of `tracks`; None: no value.
    tracks
        Names of the tracks.
    files
        Files to keep with the run.
    """

    run_id: str
    dataset: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    series: dict[str, list[float | None]]
    tracks: tuple[str, ...]
    files: tuple[Path, ...]


def tracked_runs(
    results: Results,
    *,
    only: Collection[str] | None = None,
    scores: pd.DataFrame | None = None,
    separations: pd.DataFrame | None = None,
) -> Iterator[TrackedRun]:
    """The runs of a results folder, oldest first; a run that stored no score is left out.

    Parameters
    ----------
    results
        The folder.
    only
        Names of runs; None: all.
    scores, separations
        Rows to log for these runs instead of the stored ones.
    """
    every = results.scores_frame() if scores is None else scores
    costs = results.separations_frame() if separations is None else separations
    for facts in results.runs():
        run_id = str(facts["run_id"])
        if only is not None and run_id not in only:
            continue
        own = every if scores is not None else every[every["run_id"] == run_id]
        cost = costs if separations is not None else costs[costs["run_id"] == run_id]
        own = own[own["band_lo_hz"].isna()]
        if len(own):
            yield _tracked(results, facts, own, cost)


def _tracked(
    results: Results, facts: Mapping[str, Any], scores: pd.DataFrame, separations: pd.DataFrame
) -> TrackedRun:
    ways = {str(name): usual_aggregation(str(name)) for name in scores["protocol"].unique()}
    board = leaderboard(scores, ways, resamples=2)  # its intervals are not logged
    table = per_track(scores)
    tracks = tuple(sorted(str(name) for name in table["track"].unique()))
    metrics = {_name(row): row["value"] for row in _records(board) if pd.notna(row["value"])}
    series: dict[str, list[float | None]] = {}
    place = {name: number for number, name in enumerate(tracks)}
    for row in _records(table):
        values = series.setdefault(_name(row), [None] * len(tracks))
        values[place[str(row["track"])]] = None if pd.isna(row["value"]) else float(row["value"])
    page = results.root / "report.html"
    return TrackedRun(
        run_id=str(facts["run_id"]),
        dataset=str((facts.get("dataset") or {}).get("name", "")),
        parameters=_parameters(facts, separations),
        metrics=metrics | _speeds(separations),
        series=series,
        tracks=tracks,
        files=tuple(
            path for path in (page, results.root / "runs" / facts["run_id"] / "run.json")
            if is_plain_below(results.root, path)
        ),
    )  # fmt: skip


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _name(row: Mapping[str, Any]) -> str:
    parts = [row["protocol"], row["metric"], row["target"], row["model"]]
    if str(row["target"]) == "vocals" and row["reference_set"] != "vocals+accompaniment":
        parts[2] = f"{row['target']} of {row['reference_set']}"  # two sets may share a target
    return "/".join(map(str, parts))


def _parameters(facts: Mapping[str, Any], separations: pd.DataFrame) -> dict[str, str]:
    dataset, git = facts.get("dataset") or {}, facts.get("git") or {}
    parameters = {
        "benchbench": facts.get("benchbench"),
        "python": facts.get("python"),
        "git": git.get("sha") if isinstance(git, Mapping) else git,
        "dataset": dataset.get("name"),
        "dataset/version_hash": dataset.get("version_hash"),
        "jobs": facts.get("jobs"),
        "protocols": ",".join(f"{p['name']}-{p['version']}" for p in facts.get("protocols") or ()),
        **{f"options/{key}": value for key, value in (facts.get("options") or {}).items()},
        **{f"packages/{key}": value for key, value in (facts.get("packages") or {}).items()},
    }
    for model in facts.get("models") or ():
        for key, value in (model.get("options") or {}).items():
            parameters[f"{model['name']}/{key}"] = value
    for row in _records(separations.drop_duplicates("model", keep="last")):
        parameters.update({f"{row['model']}/{name}": row[name] for name in HASHES})
    return {key: str(value) for key, value in parameters.items() if value not in (None, "", [])}


def _speeds(separations: pd.DataFrame) -> dict[str, float]:
    good = separations[(separations["status"] == "ok") & (separations["wall_s"] > 0)]
    speed = (good["audio_s"] / good["wall_s"]).groupby(good["model"].astype("str")).median()
    return {f"speed/{model}": float(value) for model, value in speed.items()}


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """Unique names that contain only letters, digits and ``_ - . / space``.

    >>> plain_names(["usdr/SDR/vocals/irm:2stems[alpha=1]"])
    {'usdr/SDR/vocals/irm:2stems[alpha=1]': 'usdr/SDR/vocals/irm.2stems_alpha.1'}
    """
    plain: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        text = re.sub(r"[:=]", ".", name)
        text = re.sub(r"[_ ]+(/|$)", r"\1", NOT_PLAIN.sub("_", text)) or "_"
        chosen, number = text, 2
        while chosen in taken:
            chosen, number = f"{text}_{number}", number + 1
        taken.add(chosen)
        plain[name] = chosen
    return plain
