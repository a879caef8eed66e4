"""Scores as the JSON files that museval reads, one a track."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchbench.errors import NothingToCompareError
from benchbench.io.atomic import write_atomically
from benchbench.io.names import file_names
from benchbench.metrics.targets import in_order
from benchbench.results.interchange.museval_import import museval_reference_sets
from benchbench.results.store import Results
from benchbench.stats import newest

__all__ = ["export_museval"]

MUSEVAL_VERSION: Final = "0.4.1"
_METRICS: Final = ("SDR", "SIR", "SAR", "ISR")
_DIGITS: Final = Decimal(".00001")


def export_museval(
    results: Results, out: Path | str, *, protocol: str = "bsseval-v4", subset: str = "test"
) -> list[Path]:
    """Write ``OUT/MODEL/SUBSET/TRACK.json``, as ``museval.MethodStore.add_eval_dir`` reads it.

    As in museval, numbers are rounded to 1e-5, missing ones are bare NaN (which is no JSON, yet what
    museval writes and reads), and vocals that were scored in both scenarios come from the one with
    the accompaniment.

    Parameters
    ----------
    results
        The results folder.
    out
        The folder to write to.
    protocol
        The protocol to export; its metrics must be museval's four.
    subset
        The folder that museval looks for: it reads ``test`` only.

    Returns
    -------
    list of Path
        The files, by model and track.

    Raises
    ------
    NothingToCompareError
        When there are no such scores.
    """
    import pyarrow.compute as pc

    scores = newest(results.scores_frame(where=pc.field("protocol") == protocol))
    if scores.empty:
        raise NothingToCompareError(
            f"{results.root} holds no scores of {protocol}.",
            hint=f"bench run --metrics {protocol} --models ...",
        )
    scores = scores.astype(dict.fromkeys(("model", "track", "target", "metric"), "object"))
    folders = file_names(map(str, scores["model"].unique()))
    tracks = [str(track) for track in scores["track"].unique()]
    # museval takes a file's name for the track's, so every sign stays that a file may hold.
    files = file_names(tracks, keep="".join({sign for track in tracks for sign in track}))
    written = []
    for (model, track), rows in scores.groupby(["model", "track"], sort=True):
        data = {"targets": _targets(rows), "museval_version": MUSEVAL_VERSION}
        path = Path(out) / folders[str(model)] / subset / f"{files[str(track)]}.json"
        _write(path, data)
        written.append(path)
    return written


def _targets(rows: pd.DataFrame) -> list[dict[str, Any]]:
    names = in_order(rows["target"].unique())
    wanted = museval_reference_sets(names)
    answer = []
    for name in names:
        own = rows[rows["target"] == name]
        here = own[own["reference_set"] == wanted[name]]
        frames = (here if len(here) else own).pivot_table(
            index=["start_s", "duration_s"], columns="metric", values="value", dropna=False
        )
        frames = frames.reindex(columns=list(_METRICS)).sort_index()
        answer.append(
            {
                "name": name,
                "frames": [
                    {
                        "time": float(start),
                        "duration": float(duration),
                        "metrics": {
                            metric: _rounded(value)
                            for metric, value in zip(_METRICS, values, strict=True)
                        },
                    }
                    for (start, duration), values in zip(
                        frames.index, frames.to_numpy(dtype=float), strict=True
                    )
                    if start == start  # a protocol of whole tracks has no frames to write
                ],
            }
        )
    return [target for target in answer if target["frames"]]


def _rounded(value: float) -> float:
    return float(Decimal(value).quantize(_DIGITS)) if value == value else value


def _write(path: Path, data: dict[str, Any]) -> None:
    text = json.dumps(data, indent=2, allow_nan=True).encode()

    def fill(file: Any) -> None:
        file.write(text)

    write_atomically(path, fill)
