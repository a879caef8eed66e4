"""Output formats of score rows: an aligned table, JSON, CSV, Parquet."""

from __future__ import annotations

import io
import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from benchbench.cli.terminal import cut
from benchbench.io.spreadsheet import spreadsheet_safe
from benchbench.io.text_table import aligned
from benchbench.metrics import protocol as protocol_named

__all__ = ["PLAIN_COLUMNS", "summary_lines", "written"]

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

ALL_TRACKS = "all tracks"


def written(table: pa.Table, form: str, columns: int | None = None) -> bytes:
    """Score rows as ``table``, ``json``, ``csv`` or ``parquet``.

    JSON is an array of objects with the schema's column names; missing values are null. A table
    that is wider than `columns` becomes one block per track, with lines of that length.
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
    per_track, over_tracks = summary_lines(table)
    lines = [*per_track, *over_tracks]
    text = aligned(PLAIN_COLUMNS, lines)
    fits = columns is None or max(map(len, text.splitlines())) <= columns
    return (text if fits else _in_blocks(lines, columns)).encode()


def _in_blocks(lines: Sequence[Sequence[str]], columns: int | None) -> str:
    """One block per track and reference set, for a narrow terminal."""
    cells = [
        [f"  {target}", f"{protocol} {metric}", *rest]
        for _, target, _, protocol, metric, *rest in lines
    ]
    head, rule, *rows = aligned(["", "metric", *PLAIN_COLUMNS[5:]], cells).splitlines()
    text, block = [head, rule], ""
    for (track, _, references, *_), row in zip(lines, rows, strict=True):
        title = f"{track} (against {references.replace('+', ', ')})"
        if title != block:
            text.append(title)
        block = title
        text.append(row)
    return "\n".join(cut(line, columns) for line in text) + "\n"


def summary_lines(table: pa.Table) -> tuple[list[list[str]], list[list[str]]]:
    """Lines of `PLAIN_COLUMNS`: one per track, target and metric, and one per target and metric.

    The latter are over all tracks, and empty for a single track. It avoids pandas, whose import
    takes longer than scoring a short excerpt.
    """
    groups: dict[tuple[str, ...], _Values] = {}
    columns = [table.column(name).to_pylist() for name in (*PLAIN_COLUMNS[:5], "value", "reason")]
    for *names, value, reason in zip(*columns, strict=True):
        groups.setdefault(tuple(map(str, names)), _Values()).add(value, reason)
    by_track: dict[tuple[str, ...], list[_Values]] = {}
    for group_names, values in groups.items():
        by_track.setdefault(group_names[1:], []).append(values)
    per_track = [[*names, *values.cells()] for names, values in groups.items()]
    if len({track for track, *_ in groups}) < 2:
        return per_track, []
    return per_track, [_over_tracks(names, tracks) for names, tracks in by_track.items()]


@dataclass(slots=True)
class _Values:
    """The values of one track, target and metric, and the reasons of missing ones."""

    values: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, value: float | None, reason: str | None) -> None:
        if value is not None and not math.isnan(value):
            self.values.append(value)
        if reason is not None:
            self.reasons[reason] += 1

    def cells(self) -> tuple[str, str, str]:
        """Number of values, median, reasons for missing values."""
        middle = f"{statistics.median(self.values):.3f}" if self.values else ""
        return str(len(self.values)), middle, _counted(self.reasons)


def _over_tracks(names: tuple[str, ...], tracks: list[_Values]) -> list[str]:
    """One line over all tracks, by the usual aggregation of the protocol, which the note names."""
    way = protocol_named(names[2]).aggregation
    of_frames = statistics.fmean if "frame means" in way else statistics.median
    of_tracks = statistics.fmean if way.startswith("mean") else statistics.median
    per_track = [of_frames(track.values) for track in tracks if track.values]
    if not per_track:
        reasons = sum((Counter(dict.fromkeys(track.reasons, 1)) for track in tracks), Counter())
        return [ALL_TRACKS, *names, "0", "", _counted(reasons)]
    return [ALL_TRACKS, *names, str(len(per_track)), f"{of_tracks(per_track):.3f}", way]


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
