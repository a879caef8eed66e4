"""The rules: one check per row of the comparison, and one per cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from benchbench.comparison import Comparison
from benchbench.comparison.gate.config import GateConfig
from benchbench.comparison.text import metric_label

__all__ = ["Check", "Status", "check_rows", "cost_checks"]

Status = Literal["failed", "not compared", "warning", "passed"]


@dataclass(frozen=True, slots=True)
class Check:
    """The gate's verdict on one row.

    Parameters
    ----------
    model, target, metric
        The checked row; `metric` is protocol, metric and band, or a cost.
    status
        ``failed``, ``not compared``, ``warning`` or ``passed``.
    rule
        The rule that decided: ``loss``, ``tail``, ``newly failing``, ``change``, ``cost``, ...
    message
        An explanation; empty if the check passed.
    """

    model: str
    target: str
    metric: str
    status: Status
    rule: str
    message: str


def check_rows(comparison: Comparison, config: GateConfig) -> list[Check]:
    """The checks of every row, in the order of the comparison."""
    rule = _quality if config.profile == "quality" else _identical
    return [
        Check(
            str(row["model_b"]),
            str(row["target"]),
            metric_label(row),
            *(_uncompared(row, config) or rule(row, config)),
        )
        for _, row in comparison.rows.iterrows()
        if row["cause"] != "only_in_b"  # a new row has no baseline
    ]


def _uncompared(row: pd.Series, config: GateConfig) -> tuple[Status, str, str] | None:
    """Rows with too few tracks to be judged; a failed track is judged in any case."""
    if row["cause"]:
        return "not compared", str(row["cause"]), str(row["note"])
    if row["lost"]:
        return None
    if row["tracks_a"] == 0:
        return "passed", "no baseline", "the baseline has no value here either"
    if row["n"] < config.coverage * row["tracks_a"]:
        if config.profile == "quality" and (tail := _tail_loss(row, config)):
            return (
                "failed",
                "tail",
                tail,
            )  # holds for each track, so no minimum number of tracks applies
        return (
            "not compared",
            "coverage",
            f"{int(row['n'])} of the baseline's {int(row['tracks_a'])} tracks; "
            f"{config.coverage:.0%} are needed",
        )
    return None


def _quality(row: pd.Series, config: GateConfig) -> tuple[Status, str, str]:
    tail = _tail_loss(row, config)
    too = f"; {tail}" if tail else ""
    if row["verdict"] == "newly_failing":
        return "failed", "newly failing", f"no value any more on: {row['lost_tracks']}{too}"
    if row["verdict"] == "worse":
        return (
            "failed",
            "loss",
            f"{row['value_a']:.2f} -> {row['value_b']:.2f}, mean change {row['difference']:+.2f} "
            f"(95% interval {row['lo']:+.2f} .. {row['hi']:+.2f}, {int(row['n'])} tracks){too}",
        )
    if tail:
        return "failed", "tail", tail
    if row["verdict"] == "inconclusive":
        return "warning", "inconclusive", str(row["note"])
    return "passed", str(row["verdict"]), str(row["note"])


def _tail_loss(row: pd.Series, config: GateConfig) -> str:
    """The track that lost more than the tail rule allows; "" if there is none."""
    limit = config.tail.of(str(row["protocol"]), str(row["metric"]))
    if not row["worst"] < -limit:
        return ""
    return f"{row['worst_track']} is worse by {-row['worst']:.2f}, more than {limit:g}"


def _identical(row: pd.Series, config: GateConfig) -> tuple[Status, str, str]:
    if row["lost"] or row["found"]:
        return (
            "failed",
            "newly failing" if row["lost"] else "fixed",
            f"{int(row['lost'])} track(s) lost their value and {int(row['found'])} gained one",
        )
    limit = config.identical.of(str(row["protocol"]), str(row["metric"]))
    change = max(abs(row["worst"]), abs(row["best"]))
    if change > limit:
        return (
            "failed",
            "change",
            f"a track changed by {change:.3g}, more than {limit:g}; mean {row['difference']:+.3g}",
        )
    if row["n"] == row["tracks_a"] and row["missing_a"] != row["missing_b"]:
        return (
            "failed",
            "frames",
            f"{int(row['missing_a'])} frames had no value, now {int(row['missing_b'])}",
        )
    return "passed", "identical", f"no track changed by more than {change:.3g}"


def cost_checks(comparison: Comparison, config: GateConfig) -> list[Check]:
    """Time and memory: always reported; fails only if configured and measured on the same machine."""
    checks = []
    for _, row in comparison.costs.iterrows():
        for cost, column, limit, scale, unit in (
            ("real-time factor", "real_time_factor", config.real_time_factor, 1.0, ""),
            ("peak memory", "peak_rss_bytes", config.memory, 1e-6, " MB"),
        ):
            ratio = row[f"{column}_ratio"]
            if pd.isna(ratio):
                continue
            message = (
                f"{row[f'{column}_a'] * scale:.3g}{unit} -> {row[f'{column}_b'] * scale:.3g}{unit} "
                f"(x{ratio:.2f}, limit x{limit:g})"
            )
            status: Status = "passed"
            if ratio > limit:
                comparable = row["same_machine"] and row["jobs_a"] == row["jobs_b"]
                status = "failed" if config.cost_fails and comparable else "warning"
                if not comparable:
                    message += "; measured under different conditions, so for information only"
            checks.append(Check(str(row["model_b"]), "", cost, status, "cost", message))
    return checks
