"""The leaderboard as the JSON files that a Hugging Face leaderboard space reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchbench.io.atomic import write_whole
from benchbench.io.names import file_names

__all__ = ["export_huggingface"]


def export_huggingface(
    leaders: pd.DataFrame, out: Path | str, facts: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Path]:
    """Write ``OUT/MODEL/results.json``: what was evaluated under ``config``, numbers under ``results``.

    Parameters
    ----------
    leaders
        Rows of `benchbench.stats.leaderboard`.
    out
        The folder to write to, usually a clone of the leaderboard's results data set.
    facts
        For each model its facts in ``run.json``: licence, homepage, training data, oracle.

    Returns
    -------
    list of Path
        One file per model. A task is named ``dataset/protocol/reference set/target`` (and the band), so
        numbers that never share a column never share a task.
    """
    written = []
    folders = file_names(map(str, leaders["model"].unique()))
    for model, rows in leaders.groupby(leaders["model"].astype("object"), sort=True):
        facts_of_model = dict((facts or {}).get(str(model), {}))
        tasks: dict[str, dict[str, float | int | str]] = {}
        for _, row in rows.dropna(subset=["value"]).iterrows():
            task = tasks.setdefault(_task(row), {})
            name = str(row["metric"])
            task[name] = float(row["value"])
            task["tracks"] = int(row["tracks"])
            task["aggregation"] = str(row["aggregation"])
            if pd.notna(row["lo"]):
                task[f"{name}_ci_low"], task[f"{name}_ci_high"] = float(row["lo"]), float(row["hi"])
        data = {
            "config": {
                "model_name": str(model),
                "model_dtype": "float32",
                "model_sha": str(facts_of_model.get("weights_hash", "")),
                "oracle": bool(facts_of_model.get("oracle", False)),
                "trained_on": list(facts_of_model.get("trained_on", [])),
                "licence": facts_of_model.get("licence", {}),
                "homepage": facts_of_model.get("homepage"),
            },
            "results": tasks,
        }
        path = Path(out) / folders[str(model)] / "results.json"
        write_whole(path, json.dumps(data, indent=2, allow_nan=False) + "\n")
        written.append(path)
    return written


def _task(row: pd.Series) -> str:
    parts = [row["dataset"], row["protocol"], row["reference_set"], row["target"]]
    if pd.notna(row["band_lo_hz"]):
        parts.append(f"{row['band_lo_hz']:.0f}-{row['band_hi_hz']:.0f}Hz")
    return "/".join(map(str, parts))
