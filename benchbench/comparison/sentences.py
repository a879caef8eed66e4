"""A comparison in words: which model is better on the headline metric, speed and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from benchbench.comparison.compare import Comparison
from benchbench.comparison.order import headline_rows
from benchbench.stats.wording import count, speed

__all__ = ["aggregation_sentence", "cost_lines", "verdict_sentences"]

_FEW: Final = 5
_COST_CHANGE: Final = 0.1
_WORDS: Final = {
    "better": "better on",
    "worse": "worse on",
    "newly_failing": "newly failing on",
    "fixed": "fixed on",
    "same": "the same on",
    "inconclusive": "no difference shown on",
    "incomparable": "not comparable on",
}


def verdict_sentences(comparison: Comparison) -> list[str]:
    """One sentence per pair of models on the headline metric, target by target.

    With many pairs, those whose verdicts are all "same" or "inconclusive" are left out.
    """
    rows = headline_rows(comparison.rows)
    pairs = list(rows.groupby(["model_a", "model_b"], sort=False, observed=True))
    if len(pairs) > _FEW:
        quiet = {"same", "inconclusive"}
        pairs = [(key, part) for key, part in pairs if not set(part["verdict"]) <= quiet]
    return [_sentence(str(a), str(b), part) for (a, b), part in pairs]


def _sentence(model_a: str, model_b: str, rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    b, a = (f"{model_a} in b", "in a") if model_a == model_b else (model_b, model_a)
    metric = f"{first['protocol']} {first['metric']}"
    verdicts = list(dict.fromkeys(rows["verdict"]))
    if verdicts in (["better"], ["worse"]):
        targets = ", ".join(_target(row) for _, row in rows.iterrows())
        return f"{b} is {verdicts[0]} than {a} by {metric}: {targets}."
    parts = [
        f"{_WORDS[verdict]} {', '.join(_target(row) for _, row in part.iterrows())}"
        for verdict, part in ((v, rows[rows["verdict"] == v]) for v in verdicts)
    ]
    against = "" if model_a == model_b else f" against {a}"
    return f"{b}{against} by {metric}: {'; '.join(parts)}."


def _target(row: pd.Series) -> str:
    if row["cause"] or not row["n"]:
        return str(row["target"])
    interval = f" ({row['lo']:+.2f} to {row['hi']:+.2f})" if row["n"] > 1 else ""
    return f"{row['target']} {row['difference']:+.2f}{interval}"


def aggregation_sentence(comparison: Comparison) -> str:
    """What the columns a and b contain, and why a report may show other numbers."""
    frames = comparison.settings.get("aggregate_frames", "median")
    return (
        f"a and b are means over the tracks that both have (a track's frames: their {frames}); "
        "intervals are 95% of the mean paired difference. A report shows each protocol's own "
        "aggregation, such as the median over tracks."
    )


def cost_lines(comparison: Comparison) -> list[str]:
    """A sentence per model on speed and memory, where both sides measured them.

    With many models, those whose costs changed by no more than a tenth are left out.
    """
    ratios = comparison.costs[["real_time_factor_ratio", "peak_rss_bytes_ratio"]]
    moved = ((ratios - 1).abs() > _COST_CHANGE).any(axis=1)
    chosen = comparison.costs if len(ratios) <= _FEW else comparison.costs[moved]
    lines = []
    if len(chosen) < len(ratios):
        unmoved = count(len(ratios) - len(chosen), "model")
        lines.append(f"Speed and memory of {unmoved} changed by less than 10%.")
    for _, row in chosen.iterrows():
        parts = list(_cost_parts(row))
        if parts:
            where = "" if row["same_machine"] else "; not on the same machine"
            lines.append(f"{row['model_b']}: {', '.join(parts)}{where}.")
    return lines


def _cost_parts(row: pd.Series) -> Iterator[str]:
    if pd.notna(row["real_time_factor_ratio"]):
        a, b = (speed(float(row[f"real_time_factor_{side}"])) for side in "ab")
        yield f"speed {a} -> {b} real time"
    if pd.notna(row["peak_rss_bytes_ratio"]):
        a, b = (f"{row[f'peak_rss_bytes_{side}'] * 1e-6:.0f}" for side in "ab")
        yield f"peak memory {a} -> {b} MB (x{row['peak_rss_bytes_ratio']:.2f})"
