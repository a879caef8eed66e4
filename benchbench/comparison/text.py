"""A comparison as text for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from benchbench.comparison.compare import Comparison
from benchbench.comparison.verdicts import VERDICTS

__all__ = [
    "HEADER",
    "comparison_json",
    "comparison_markdown",
    "comparison_text",
    "cost_lines",
    "metric_label",
    "ordered_rows",
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
_FEW: Final = 5
_COST_CHANGE: Final = 0.1
_MARKS: Final = {
    "newly_failing": "!!",
    "worse": "-",
    "incomparable": "x",
    "inconclusive": "?",
    "same": "=",
    "fixed": "*",
    "better": "+",
}


def ordered_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The most pressing verdicts first, the greatest differences first among them."""
    place = rows["verdict"].map({name: index for index, name in enumerate(VERDICTS)})
    size = -rows["difference"].abs().fillna(0.0)
    return (
        rows.assign(_place=place, _size=size)
        .sort_values(["_place", "_size"], kind="stable")
        .drop(columns=["_place", "_size"])
    )


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
    word = f"{_MARKS[row['verdict']]} {row['verdict'].replace('_', ' ')}"
    return (word, str(model), str(row["target"]), metric_label(row), *numbers, str(row["note"]))


def metric_label(row: pd.Series) -> str:
    """Protocol, metric and band, as tables name them."""
    text = f"{row['protocol']} {row['metric']}"
    if pd.notna(row["band_lo_hz"]):
        text += f" {row['band_lo_hz']:.0f}-{row['band_hi_hz']:.0f} Hz"
    return text


def comparison_text(comparison: Comparison, *, limit: int | None = None) -> str:
    """Aligned columns for a terminal, with at most `limit` rows."""
    rows = ordered_rows(comparison.rows)
    cells = [HEADER, *(row_cells(row) for _, row in _head(rows, limit).iterrows())]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    more = _left_out(rows, limit)
    return (
        "\n".join(
            [
                f"a: {comparison.a}",
                f"b: {comparison.b}",
                "",
                *lines,
                *more,
                "",
                summary(comparison),
                *cost_lines(comparison),
                *comparison.notes,
            ]
        )
        + "\n"
    )


def comparison_markdown(comparison: Comparison, *, limit: int | None = 200) -> str:
    """A Markdown table, for a pull request or a page of documentation."""
    rows = ordered_rows(comparison.rows)
    lines = [_markdown_line(HEADER), _markdown_line(["---"] * len(HEADER))]
    lines += [_markdown_line(row_cells(row)) for _, row in _head(rows, limit).iterrows()]
    parts = [
        f"`{comparison.b}` against `{comparison.a}`: {summary(comparison)}",
        "\n".join(lines),
        *_left_out(rows, limit),
    ]
    ends = [*cost_lines(comparison), *comparison.notes]
    if ends:
        parts.append("\n".join(f"- {line}" for line in ends))
    return "\n\n".join(parts) + "\n"


def comparison_json(comparison: Comparison) -> str:
    """Everything, as JSON; numbers that do not exist are null."""
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
    """How many rows there are and which verdicts fell."""
    counts = [
        f"{count} {name.replace('_', ' ')}" for name, count in comparison.counts().items() if count
    ]
    return f"{len(comparison.rows)} rows: {', '.join(counts)}."


def cost_lines(comparison: Comparison) -> list[str]:
    """A sentence a model on time and memory, where both sides measured them.

    Of many models only those are named whose cost changed by more than a tenth.
    """
    ratios = comparison.costs[["real_time_factor_ratio", "peak_rss_bytes_ratio"]]
    moved = ((ratios - 1).abs() > _COST_CHANGE).any(axis=1)
    chosen = comparison.costs if len(ratios) <= _FEW else comparison.costs[moved]
    lines = []
    if len(chosen) < len(ratios):
        lines.append(
            f"Time and memory of {len(ratios) - len(chosen)} models moved by less than 10%."
        )
    for _, row in chosen.iterrows():
        parts = [
            f"{name} {row[f'{key}_a'] * scale:.3g} -> {row[f'{key}_b'] * scale:.3g}{unit} "
            f"(x{row[f'{key}_ratio']:.2f})"
            for name, key, scale, unit in (
                ("real-time factor", "real_time_factor", 1.0, ""),
                ("peak memory", "peak_rss_bytes", 1e-6, " MB"),
            )
            if pd.notna(row[f"{key}_ratio"])
        ]
        if parts:
            where = "" if row["same_machine"] else "; not on the same machine"
            lines.append(f"{row['model_b']}: {', '.join(parts)}{where}.")
    return lines


def _head(rows: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    return rows if limit is None else rows.head(limit)


def _left_out(rows: pd.DataFrame, limit: int | None) -> list[str]:
    if limit is None or len(rows) <= limit:
        return []
    return [f"{len(rows) - limit} less pressing rows are left out; the JSON has them all."]


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
