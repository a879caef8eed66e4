"""Score rows as text for people and programs: aligned columns, JSON, CSV, Parquet."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence

import pyarrow as pa

from benchbench.io.spreadsheet import spreadsheet_safe

__all__ = ["aligned", "written"]

PLAIN_COLUMNS = (
    "track",
    "target",
    "reference_set",
    "protocol",
    "metric",
    "values",
    "median",
    "note",
)


def written(table: pa.Table, form: str) -> bytes:
    """Score rows as ``table``, ``json``, ``csv`` or ``parquet``.

    JSON is an array of objects with the schema's column names; missing values are null.
    """
    if form == "json":
        return (json.dumps(table.to_pylist(), indent=1, allow_nan=False) + "\n").encode()
    if form == "csv":
        frame = table.to_pandas()
        for name in ("model", "dataset", "track", "target", "reference_set"):
            frame[name] = [spreadsheet_safe(text) for text in frame[name]]
        text: str = frame.to_csv(index=False)
        return text.encode()
    if form == "parquet":
        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return buffer.getvalue()
    return _summarised(table).encode()


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under a header, numbers to the right."""
    every = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in every) for i in range(len(header))]
    numeric = [all(_is_number(row[i]) for row in rows) and bool(rows) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in every
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def _is_number(text: str) -> bool:
    """Whether a cell belongs to the right: ``-6.37``, ``14x``, ``>1000x``, ``- [1]`` or nothing."""
    cleaned = text.split(" ")[0].lstrip(">").removesuffix("x")
    return not cleaned.translate(_SIGNS) or cleaned.translate(_SIGNS).isdecimal()


_SIGNS = str.maketrans("", "", "-+.,%")


def _summarised(table: pa.Table) -> str:
    """One line a track, target and metric: how many values, their median, the reasons."""
    frame = table.to_pandas()
    keys = ["track", "target", "reference_set", "protocol", "metric"]
    lines = []
    for names, group in frame.groupby(keys, sort=False, observed=True):
        median = group["value"].median()
        reasons = group["reason"].dropna().value_counts()
        note = ", ".join(f"{reason} ({count})" for reason, count in reasons.items())
        count = group["value"].notna().sum()
        lines.append(
            [*map(str, names), str(count), "" if math.isnan(median) else f"{median:.3f}", note]
        )
    return aligned(PLAIN_COLUMNS, lines)
