"""Baseline files: the per-track numbers of a set of results, small enough for review in git."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchbench.comparison.costs import COST_COLUMNS
from benchbench.comparison.side import Side
from benchbench.errors import DamagedResultsError, UsageError
from benchbench.io.atomic import write_atomically
from benchbench.io.redaction import redacted
from benchbench.stats.tracks import KEYS

__all__ = ["BASELINE_VERSION", "read_baseline", "write_baseline"]

BASELINE_VERSION: Final = 1
_KEY: Final = b"benchbench_baseline"
_INTEGERS: Final = {"metric_version", "frames", "missing"}
_TEXT: Final = (
    *(key for key in KEYS if key not in {"metric_version", "band_lo_hz", "band_hi_hz"}),
)
_COLUMNS: Final = (*KEYS, "value", "frames", "missing", "reason")
_SCHEMA: Final = pa.schema(
    [
        (
            name,
            pa.string()
            if name in _TEXT or name == "reason"
            else pa.int64()
            if name in _INTEGERS
            else pa.float64(),
        )
        for name in _COLUMNS
    ]
)


def write_baseline(path: Path | str, side: Side) -> Path:
    """Write a side as a baseline file.

    Rows are sorted and the file contains no time of writing, so the same numbers give the same
    bytes and git shows a change only when a number changed.

    Parameters
    ----------
    path
        The Parquet file; its folder is created if needed.
    side
        A side, as read by `benchbench.comparison.open_side`.

    Raises
    ------
    UsageError
        When the side holds no numbers: with an empty baseline every gate would pass.
    OutputError
        When it cannot be written.
    """
    if not side.tracks["value"].notna().any():
        raise UsageError(
            f"{side.label} has no values, so it cannot become a baseline.",
            hint="List the failures with `bench list runs`, then run again.",
        )
    table = _table(side.tracks)
    facts = {
        "version": BASELINE_VERSION,
        "frames": side.tracks.attrs.get("frames", "median"),
        "rows_sha256": _digest(table),
        "dataset_hashes": {name: sorted(found) for name, found in sorted(side.hashes.items())},
        "models": side.origin.get("models", {}),
        "runs": side.origin.get("runs", []),
        "failed": sorted(map(list, side.failed)),
        "costs": json.loads(side.costs.to_json(orient="records")),
        "machine": dict(side.machine),
    }
    table = table.replace_schema_metadata({_KEY: json.dumps(facts, sort_keys=True).encode()})
    target = Path(path)
    write_atomically(
        target, lambda file: pq.write_table(table, file, compression="zstd", compression_level=19)
    )
    return target


def read_baseline(path: Path | str) -> Side:
    """Read a baseline file back into a side.

    Raises
    ------
    UsageError
        When the file is not a baseline, or has a newer version.
    DamagedResultsError
        When its rows differ from those that were written.
    """
    path = Path(path)
    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise DamagedResultsError(
            f"{path} cannot be read as Parquet: {error}.",
            hint="Restore the file from git, or accept a new baseline.",
        ) from error
    facts = _facts(path, table)
    plain = table.replace_schema_metadata(None)
    if _digest(plain) != facts["rows_sha256"]:
        raise DamagedResultsError(
            f"The rows of {path} do not match its hash: the file was modified.",
            hint="Restore the file from git, or accept a new baseline.",
        )
    frame = plain.to_pandas(categories=[*_TEXT, "reason"])
    frame.attrs["frames"] = facts["frames"]
    return Side(
        label=redacted(str(path)),
        tracks=frame,
        hashes={name: frozenset(found) for name, found in facts["dataset_hashes"].items()},
        failed=frozenset((item[0], item[1], item[2]) for item in facts["failed"]),
        costs=pd.DataFrame(facts["costs"], columns=list(COST_COLUMNS)),
        machine=facts["machine"],
        origin={
            "kind": "baseline",
            "path": str(path),
            "runs": facts["runs"],
            "models": facts["models"],
        },
    )


def _facts(path: Path, table: pa.Table) -> dict[str, Any]:
    raw = (table.schema.metadata or {}).get(_KEY)
    if raw is None:
        raise UsageError(
            f"{path} is a Parquet file, but not a benchbench baseline.",
            hint="Write one with `bench gate --accept`, or read other tables with `bench import`.",
        )
    facts: dict[str, Any] = json.loads(raw)
    if facts.get("version") != BASELINE_VERSION:
        raise UsageError(
            f"{path} is a baseline of version {facts.get('version')}; this benchbench reads "
            f"version {BASELINE_VERSION}.",
            hint="Update benchbench, or accept a new baseline.",
        )
    return facts


def _table(tracks: pd.DataFrame) -> pa.Table:
    columns = {}
    for name in _COLUMNS:
        column = tracks[name]
        if name in _TEXT or name == "reason":
            values = [None if pd.isna(item) else str(item) for item in column.astype("object")]
            columns[name] = pa.array(values, pa.string())
        else:
            columns[name] = pa.array(column.to_numpy(), _SCHEMA.field(name).type, from_pandas=True)
    return pa.table(columns, schema=_SCHEMA).sort_by([(name, "ascending") for name in KEYS])


def _digest(table: pa.Table) -> str:
    """A hash of the rows, independent of how Parquet encodes them."""
    digest = hashlib.sha256()
    for name in _COLUMNS:
        digest.update(f"\0{name}\0".encode())
        for item in table[name].to_pylist():
            digest.update(repr(item).encode())
            digest.update(b"\n")
    return digest.hexdigest()
