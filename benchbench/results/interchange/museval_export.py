"""Scores as the JSON files that museval reads, one per track."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.io.atomic import write_whole
from benchbench.io.names import file_names
from benchbench.metrics.targets import in_order
from benchbench.results.interchange.imported_values import bounds
from benchbench.results.interchange.museval_import import METRICS, museval_reference_sets
from benchbench.results.store import Results
from benchbench.stats import newest

__all__ = ["export_museval"]

MUSEVAL_VERSION: Final = "0.4.1"
PROTOCOLS: Final = ("bsseval-v4", "bsseval-v3")
"""Protocols whose numbers museval computes, for any frame length."""

_DIGITS: Final = Decimal(".00001")


def export_museval(
    results: Results,
    out: Path | str,
    *,
    protocol: str = "bsseval-v4",
    dataset: str | None = None,
    models: Sequence[str] = (),
    subset: str = "test",
) -> list[Path]:
    """Write ``OUT/MODEL/SUBSET/TRACK.json``, as ``museval.MethodStore.add_eval_dir`` reads it.

    As in museval, numbers are rounded to 1e-5 and missing ones are bare NaN (invalid JSON, but what
    museval writes and reads). Capped values are NaN too, because museval writes infinite ratios as
    NaN. Vocals scored in both scenarios come from the one with the accompaniment.

    Parameters
    ----------
    results
        The results folder.
    out
        The folder to write to.
    protocol
        ``bsseval-v4`` or ``bsseval-v3``, with any frame length: other numbers must not be exported
        under museval's names.
    dataset
        The data set; optional if there is only one.
    models
        Only these models; by default all.
    subset
        The name of the subset folder; museval reads only ``test``.

    Returns
    -------
    list of Path
        The files, by model and track.

    Raises
    ------
    UsageError
        For a protocol that museval does not have, or results of several data sets.
    NothingToCompareError
        When there are no such scores.
    """
    if protocol.partition(":")[0] not in PROTOCOLS:
        raise UsageError(
            f"museval does not compute {protocol}, so its files cannot hold those numbers.",
            hint=f"Export {' or '.join(PROTOCOLS)}, or use `bench export csv`.",
        )
    scores = _scores(results, protocol, dataset, models)
    folders = file_names(map(str, scores["model"].unique()))
    tracks = [str(track) for track in scores["track"].unique()]
    # museval uses the file name as track name, so every character allowed in a file name is kept.
    files = file_names(tracks, keep="".join({sign for track in tracks for sign in track}))
    written = []
    for (model, track), rows in scores.groupby(["model", "track"], sort=True):
        data = {"targets": _targets(rows, protocol), "museval_version": MUSEVAL_VERSION}
        path = Path(out) / folders[str(model)] / subset / f"{files[str(track)]}.json"
        _write(path, data)
        written.append(path)
    return written


def _scores(
    results: Results, protocol: str, dataset: str | None, models: Sequence[str]
) -> pd.DataFrame:
    """The frames of museval's four metrics on one data set."""
    import pyarrow.compute as pc

    wanted = (pc.field("protocol") == protocol) & pc.field("metric").isin(list(METRICS))
    wanted &= pc.field("start_s").is_valid()
    scores = newest(results.scores_frame(where=wanted))
    words = dict.fromkeys(("model", "dataset", "track", "target", "metric"), "object")
    scores = scores.astype(words)
    for column, names in (("dataset", [dataset] if dataset else []), ("model", models)):
        known = scores[column].unique()
        for name in names:
            if name not in known:
                raise UnknownNameError(column, name, known, where=f" in {results.root}")
        if names:
            scores = scores[scores[column].isin(list(names))]
    if scores.empty:
        raise NothingToCompareError(
            f"{results.root} holds no frames of {protocol}.",
            hint=f"bench run --metrics {protocol} --models ...",
        )
    if scores["dataset"].nunique() > 1:
        names = ", ".join(sorted(scores["dataset"].unique()))
        raise UsageError(
            f"{results.root} holds {protocol} of several data sets: {names}.",
            hint="museval's files name none: choose one with --dataset.",
        )
    newest_version: pd.DataFrame = scores[
        scores["metric_version"] == scores["metric_version"].max()
    ]
    return newest_version


def _targets(rows: pd.DataFrame, protocol: str) -> list[dict[str, Any]]:
    names = in_order(rows["target"].unique())
    wanted = museval_reference_sets(names)
    targets = []
    for name in names:
        of_target = rows[rows["target"] == name]
        sets = of_target["reference_set"].astype(str)
        chosen = wanted[name] if (sets == wanted[name]).any() else max(sets, key=len)
        targets.append({"name": name, "frames": _frames(of_target[sets == chosen], protocol)})
    return targets


def _frames(rows: pd.DataFrame, protocol: str) -> list[dict[str, Any]]:
    """Frames in order of time; a metric that a frame lacks is left out."""
    frame = ["start_s", "duration_s"]
    caps = {metric: bounds(protocol, metric) for metric in METRICS}
    frames: dict[tuple[float, float], dict[str, float]] = {}
    columns = [*frame, "metric", "value", "reason"]
    ordered = rows[columns].sort_values(frame, kind="stable").astype({"reason": "object"})
    for start, duration, metric, value, reason in ordered.itertuples(index=False, name=None):
        numbers = frames.setdefault((start, duration), {})
        numbers[metric] = _rounded(value, reason, caps[metric])
    return [
        {
            "time": float(start),
            "duration": float(duration),
            "metrics": {metric: numbers[metric] for metric in METRICS if metric in numbers},
        }
        for (start, duration), numbers in frames.items()
    ]


def _rounded(value: float, reason: object, limits: tuple[float, float]) -> float:
    if value != value or (reason == "capped" and value in limits):  # museval writes inf as NaN
        return float("nan")
    return float(Decimal(float(value)).quantize(_DIGITS))


def _write(path: Path, data: dict[str, Any]) -> None:
    write_whole(path, json.dumps(data, indent=2, allow_nan=True))
