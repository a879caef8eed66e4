"""A comparison as Markdown and as JSON, and the cells shared by its tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from benchbench.comparison.compare import Comparison
from benchbench.comparison.markdown import markdown_code, markdown_text
from benchbench.comparison.order import ordered_rows
from benchbench.comparison.sentences import aggregation_sentence, cost_lines, verdict_sentences
from benchbench.stats.wording import count

__all__ = [
    "HEADER",
    "MARKS",
    "comparison_json",
    "comparison_markdown",
    "metric_label",
    "records",
    "row_cells",
    "summary",
]

HEADER: Final = (
    "verdict",
    "model",
    "target",
    "metric",
    "a",
    "b",
    "b - a",
    "95% interval",
    "p",
    "wins",
    "tracks",
    "note",
)
MARKS: Final = {
    "newly_failing": "!!",
    "worse": "-",
    "incomparable": "x",
    "inconclusive": "?",
    "same": "=",
    "fixed": "*",
    "better": "+",
}


def row_cells(row: pd.Series) -> tuple[str, ...]:
    """One row as the texts under `HEADER`."""
    same = row["model_a"] == row["model_b"]
    model = row["model_a"] if same else f"{row['model_a']} -> {row['model_b']}"
    compared = not row["cause"] and row["n"] > 0
    numbers = (
        (
            f"{row['value_a']:.2f}",
            f"{row['value_b']:.2f}",
            f"{row['difference']:+.2f}",
            f"{row['lo']:+.2f} .. {row['hi']:+.2f}" if row["n"] > 1 else "",
            f"{row['p_family']:.3f}",
            f"{row['win_rate']:.0%}",
            f"{int(row['n'])}",
        )
        if compared
        else ("",) * 7
    )
    word = f"{MARKS[row['verdict']]} {row['verdict'].replace('_', ' ')}"
    return (word, str(model), str(row["target"]), metric_label(row), *numbers, str(row["note"]))


def metric_label(row: pd.Series) -> str:
    """Protocol, metric and band as one label for tables."""
    text = f"{row['protocol']} {row['metric']}"
    if pd.notna(row["band_lo_hz"]):
        text += f" {row['band_lo_hz']:.0f}-{row['band_hi_hz']:.0f} Hz"
    return text


def comparison_markdown(comparison: Comparison, *, limit: int | None = 200) -> str:
    """A Markdown table, for a pull request or a page of documentation."""
    rows = ordered_rows(comparison.rows)
    lines = [_markdown_line(HEADER), _markdown_line(["---"] * len(HEADER))]
    lines += [_markdown_line(row_cells(row)) for _, row in _head(rows, limit).iterrows()]
    parts = [
        f"{markdown_code(comparison.b)} against {markdown_code(comparison.a)}: {summary(comparison)}",
        *map(markdown_text, verdict_sentences(comparison)),
        "\n".join(lines),
        *_left_out(rows, limit),
    ]
    ends = [aggregation_sentence(comparison), *cost_lines(comparison), *comparison.notes]
    if ends:
        parts.append("\n".join(f"- {markdown_text(line)}" for line in ends))
    return "\n\n".join(parts) + "\n"


def comparison_json(comparison: Comparison) -> str:
    """Everything, as JSON; missing numbers are null."""
    return json.dumps(
        {
            "schema": 1,
            "a": comparison.a,
            "b": comparison.b,
            "counts": comparison.counts(),
            "rows": records(comparison.rows),
            "costs": records(comparison.costs),
            "notes": list(comparison.notes),
            "settings": dict(comparison.settings),
        },
        indent=2,
        allow_nan=False,
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain objects; missing and infinite numbers become None."""
    answer: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=12))
    return answer


def summary(comparison: Comparison) -> str:
    """The number of rows in total and for each verdict."""
    counts = [
        f"{count} {name.replace('_', ' ')}" for name, count in comparison.counts().items() if count
    ]
    return f"{count(len(comparison.rows), 'row')}: {', '.join(counts)}."


def _head(rows: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    return rows if limit is None else rows.head(limit)


def _left_out(rows: pd.DataFrame, limit: int | None) -> list[str]:
    if limit is None or len(rows) <= limit:
        return []
    return [f"{len(rows) - limit} rows hidden; use --format json to see all."]


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(markdown_text, cells)) + " |"
