"""Are the numbers ones that the metrics can give, in the versions that are used today?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from benchbench import metrics
from benchbench.errors import UnknownNameError, UsageError
from benchbench.metrics.base import Protocol
from benchbench.scoring.submission.evidence import Evidence
from benchbench.scoring.submission.findings import Finding
from benchbench.stats.tracks import KEYS
from benchbench.stats.wording import count

__all__ = ["check_numbers", "check_versions"]

_ROUNDING: Final = 1e-6
_IDENTITY: Final = [*KEYS, "start_s", "separation_id"]


def check_versions(evidence: Evidence) -> Iterator[Finding]:
    """Every protocol is known here, in the same version."""
    frame = evidence.frame
    pairs = frame[["protocol", "metric_version"]].drop_duplicates()
    old = 0
    for name, version in zip(pairs["protocol"], pairs["metric_version"], strict=True):
        known = _protocol(str(name))
        if known is None:
            old += 1
            yield Finding("versions", "warning", "", f"The protocol {name} is not known here.")
        elif known.version != version:
            old += 1
            yield Finding(
                "versions",
                "failed",
                "",
                f"{name} has version {known.version} now; the scores are of version {version}. Score "
                "the stems again.",
            )
    if not old:
        yield Finding(
            "versions", "passed", "", f"{count(len(pairs), 'protocol')}, in today's versions."
        )


def check_numbers(evidence: Evidence) -> Iterator[Finding]:
    """Values lie within the ranges of their metrics, occur once, and obey what must hold."""
    frame = evidence.frame
    problems = [*_out_of_range(frame), *_twice(frame), *_impossible(evidence.tracks)]
    for subject, message in problems:
        yield Finding("numbers", "failed", subject, message)
    if not problems:
        yield Finding("numbers", "passed", "", "All values are ones that their metrics can give.")


def _protocol(name: str) -> Protocol | None:
    try:
        return metrics.protocol(name)
    except (UnknownNameError, UsageError):
        return None


def _out_of_range(frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for (name, metric), part in frame.groupby(["protocol", "metric"], observed=True):
        known = _protocol(str(name))
        if known is None:
            continue
        about = next((one for one in known.metrics if one.name == metric), None)
        if about is None:
            yield "", f"The protocol {name} has no metric {str(metric)[:60]}."
            continue
        values = part["value"].dropna()
        odd = values[(values < about.low - _ROUNDING) | (values > about.high + _ROUNDING)]
        if len(odd):
            row = part.loc[odd.index[0]]
            yield (
                str(row["model"]),
                f"{name} {metric} of {row['target']} on {row['track']} is {row['value']:g}; the "
                f"metric gives {about.low:g} to {about.high:g}.",
            )


def _twice(frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    repeated = frame[frame.duplicated(_IDENTITY)]
    for model, part in repeated.groupby("model", observed=True):
        row = part.iloc[0]
        yield (
            str(model),
            f"{len(part)} numbers are there twice, such as {row['protocol']} {row['metric']} of "
            f"{row['target']} on {row['track']}.",
        )


def _impossible(tracks: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """SI-SDR scales the reference as well as possible, so SD-SDR of the same stems is never above it."""
    rows = tracks[(tracks["protocol"] == "si") & tracks["metric"].isin(["SI-SDR", "SD-SDR"])]
    keys = ["model", "track", "reference_set", "target"]
    wide = rows.pivot_table(index=keys, columns="metric", values="value", observed=True)
    if {"SI-SDR", "SD-SDR"} <= set(wide.columns):
        above = wide[wide["SD-SDR"] > wide["SI-SDR"] + 1e-3].reset_index()
        for model, part in above.groupby("model"):
            row = part.iloc[0]
            yield (
                str(model),
                f"On {len(part)} tracks and targets SD-SDR is above SI-SDR, which is impossible: "
                f"{row['SD-SDR']:.2f} and {row['SI-SDR']:.2f} dB of {row['target']} on {row['track']}.",
            )
