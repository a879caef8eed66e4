"""Score rows for people and programs: an aligned table, JSON, CSV, Parquet."""

from __future__ import annotations

import io
import json
import math

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
