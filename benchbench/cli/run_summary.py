"""The table that a run ends with: a number a model and target, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import or_

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchbench.cli.text_tables import aligned
from benchbench.results.store import Results
from benchbench.scoring.verification import Difference
from benchbench.stats import leaderboard
from benchbench.stats.tracks import KEYS

__all__ = ["differences_table", "summary"]

SHOWN = (("usdr", "SDR"), ("bsseval-v4", "SDR"), ("si", "SI-SDR"))
"""Protocol and metric of the columns, as far as they are stored."""

_COLUMNS = [*KEYS, "run_id", "start_s", "duration_s", "value", "reason"]

FREE = 1000
"""Speeds beyond this say that nothing was computed."""


def summary(results: Results, *, models: Sequence[str], dataset: str) -> str:
    """Text for the end of a run: for every model and target the headline numbers and the cost.

    Parameters
    ----------
    results
        The results.
    models
        ``adapter`` or ``adapter:variant``; others in the folder are left out.
    dataset
        The data set's name.
    """
    names = {name for name in models if ":" in name}
    adapters = {name for name in models if ":" not in name}
    field = pc.field
    chosen = [
        model for model in results.models() if model in names or model.partition(":")[0] in adapters
    ]
    wanted = (
        (field("dataset") == dataset)
        & field("band_lo_hz").is_null()
        & field("model").isin(pa.array(chosen, pa.string()))
    )
    shown = reduce(or_, ((field("protocol") == p) & (field("metric") == m) for p, m in SHOWN))
    scores = results.scores_frame(wanted & shown, _COLUMNS)
    if scores.empty:
        scores = results.scores_frame(wanted, _COLUMNS)
    if scores.empty:
        return "No scores are stored."
    ways = {str(protocol): _aggregation(str(protocol)) for protocol in scores["protocol"].unique()}
    board = leaderboard(scores, ways, resamples=2)  # its intervals are not shown here
    costs = _costs(results.separations_frame(), dataset)
    columns = [
        (p, m) for p, m in SHOWN if ((board["protocol"] == p) & (board["metric"] == m)).any()
    ]
    lines = []
    for (references, target), part in board.groupby(["reference_set", "target"], sort=False):
        wide = part.pivot_table(index="model", columns=["protocol", "metric"], values="value")
        for model in _ranked(wide, columns):
            values = [_number(wide, model, column) for column in columns]
            lines.append([str(references), str(target), model, *values, costs.get(model, "")])
    header = ["references", "target", "model", *[f"{p} {m}" for p, m in columns], "x real time"]
    used = "; ".join(f"{p}: {ways[p]}" for p in dict.fromkeys(p for p, _ in columns))
    return f"{aligned(header, lines)}\ndB. {used}. Silence scores 0 dB in plain SDR."


def _aggregation(protocol: str) -> str:
    from benchbench.metrics import protocol as find

    return find(protocol).aggregation


def _ranked(wide: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> list[str]:
    first = next((column for column in columns if column in wide.columns), None)
    ordered = wide if first is None else wide.sort_values(first, ascending=False)
    return [str(model) for model in ordered.index]


def _number(wide: pd.DataFrame, model: str, column: tuple[str, str]) -> str:
    value = float(wide[column].get(model, float("nan"))) if column in wide.columns else float("nan")
    return "" if math.isnan(value) else f"{value:.2f}"


def _costs(separations: pd.DataFrame, dataset: str) -> dict[str, str]:
    """Seconds of audio a second of work, median over tracks, the first of a worker left out."""
    good = separations[(separations["status"] == "ok") & (separations["dataset"] == dataset)]
    warm = good[good["first_in_worker"] != True]  # noqa: E712 - the column may hold missing values
    rate = (warm["audio_s"] / warm["wall_s"]).groupby(warm["model"].astype(str)).median()
    return {
        str(model): ">1000" if value > FREE else f"{value:.0f}" for model, value in rate.items()
    }


def differences_table(found: Sequence[Difference]) -> str:
    """The largest difference from the peers for each protocol and metric."""
    grouped: dict[tuple[str, str], list[Difference]] = {}
    for one in found:
        grouped.setdefault((one.protocol, one.metric), []).append(one)
    lines = []
    for (protocol, metric), every in sorted(grouped.items()):
        worst = min(every, key=lambda one: (one.passed, -one.largest_db))
        lines.append(
            [
                protocol,
                metric,
                f"{worst.largest_db:.1e}",
                f"{worst.tolerance_db:.0e}",
                str(sum(one.compared for one in every)),
                str(sum(one.set_aside for one in every)),
                "ok" if worst.passed else "DIFFERS" if worst.same_gaps else "OTHER GAPS",
                worst.case,
            ]
        )
    header = ["protocol", "metric", "largest dB", "allowed", "compared", "set aside", "", "where"]
    return aligned(header, lines)
