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
from benchbench.metrics import protocol as protocol_named

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

    Several tracks are followed by one line per target and metric over all of them. It avoids
    pandas, whose import takes longer than scoring a short excerpt.
    """
    groups: dict[tuple[str, ...], list[tuple[float | None, str | None]]] = {}
    columns = [table.column(name).to_pylist() for name in (*PLAIN_COLUMNS[:5], "value", "reason")]
    for *names, value, reason in zip(*columns, strict=True):
        groups.setdefault(tuple(map(str, names)), []).append((value, reason))
    lines = []
    by_track: dict[tuple[str, ...], list[list[float]]] = {}
    for group_names, rows in groups.items():
        values = [value for value, _ in rows if value is not None and not math.isnan(value)]
        reasons = Counter(reason for _, reason in rows if reason is not None).most_common()
        note = ", ".join(f"{reason} ({count})" for reason, count in reasons)
        middle = f"{statistics.median(values):.3f}" if values else ""
        lines.append([*group_names, str(len(values)), middle, note])
        by_track.setdefault(group_names[1:], []).append(values)
    if len({track for track, *_ in groups}) > 1:
        lines += [_over_tracks(names, tracks) for names, tracks in by_track.items()]
    return aligned(PLAIN_COLUMNS, lines)


def _over_tracks(names: tuple[str, ...], tracks: list[list[float]]) -> list[str]:
    """One line over all tracks, by the usual aggregation of the protocol, which the note names."""
    way = protocol_named(names[2]).aggregation
    of_frames = statistics.fmean if "frame means" in way else statistics.median
    of_tracks = statistics.fmean if way.startswith("mean") else statistics.median
    per_track = [of_frames(values) for values in tracks if values]
    number = f"{of_tracks(per_track):.3f}" if per_track else ""
    return ["all tracks", *names, str(len(per_track)), number, way]
