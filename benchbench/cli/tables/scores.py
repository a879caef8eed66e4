"""Output formats of score rows: an aligned table, JSON, CSV, Parquet."""

from __future__ import annotations

import io
import json
import math
import statistics
from collections import Counter

import pyarrow as pa

from benchbench.io.spreadsheet import spreadsheet_safe
from benchbench.io.text_table import aligned

__all__ = ["written"]

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


def _summarised(table: pa.Table) -> str:
    """One line per track, target and metric: number of values, median, reasons for missing values.

    It avoids pandas, whose import takes longer than scoring a short excerpt.
    """
    groups: dict[tuple[str, ...], list[tuple[float | None, str | None]]] = {}
    columns = [table.column(name).to_pylist() for name in (*PLAIN_COLUMNS[:5], "value", "reason")]
    for *names, value, reason in zip(*columns, strict=True):
        groups.setdefault(tuple(map(str, names)), []).append((value, reason))
    lines = []
    for group_names, rows in groups.items():
        values = [value for value, _ in rows if value is not None and not math.isnan(value)]
        reasons = Counter(reason for _, reason in rows if reason is not None).most_common()
        note = ", ".join(f"{reason} ({count})" for reason, count in reasons)
        middle = f"{statistics.median(values):.3f}" if values else ""
        lines.append([*group_names, str(len(values)), middle, note])
    return aligned(PLAIN_COLUMNS, lines)
