"""Find stored parts that are damaged, or that are not what their name says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.results.parquet_parts import UNREADABLE, is_compacted, read_groups
from benchbench.results.schema import SCORES, SEPARATIONS

__all__ = ["damaged_parts", "damaged_runs", "leftovers"]

SCHEMAS = {"scores": SCORES, "separations": SEPARATIONS}


def damaged_parts(root: Path, kind: str) -> Iterator[tuple[Path, str]]:
    """Every part of a results' folder that cannot be trusted, and why.

    Parameters
    ----------
    root
        The results' folder.
    kind
        ``scores`` or ``separations``.
    """
    for path in sorted((root / kind).rglob("*.parquet")):
        if not path.name.startswith("."):
            why = _fault(path, kind)
            if why:
                yield path, why


def _fault(path: Path, kind: str) -> str | None:
    try:
        return next(filter(None, (_group_fault(t, path, kind) for t in _groups(path, kind))), None)
    except FileNotFoundError:  # compacted meanwhile
        return None
    except UNREADABLE as error:
        return f"it cannot be read ({str(error).splitlines()[0][:120]})"


def _groups(path: Path, kind: str) -> Iterator[pa.Table]:
    for table in read_groups(path, SCHEMAS[kind]):
        table.validate(full=True)
        yield table


def _group_fault(table: pa.Table, path: Path, kind: str) -> str | None:
    key = table.column_names[0]
    if not is_compacted(path) and table.num_rows and _words(table, key) != {path.stem}:
        return "it holds another cell than its name says"
    if kind == "separations":
        return None
    folder = {"model": path.parent.parent.name, "dataset": path.parent.name}
    for column, name in folder.items():
        if table.num_rows and _words(table, column) != {unquote(name.partition("=")[2])}:
            return f"its {column} is not that of its folder"
    values = table.column("value").drop_null()
    if len(values) and not pc.all(pc.is_finite(values)).as_py():
        return "it holds a value that is not finite"
    return None


def _words(table: pa.Table, column: str) -> set[str]:
    return set(pc.unique(table.column(column)).to_pylist())


def damaged_runs(root: Path) -> Iterator[tuple[Path, str]]:
    """Every ``run.json`` that cannot be read, and why."""
    for path in sorted(root.glob("runs/*/run.json")):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError, OSError) as error:
            yield path, f"it is not valid JSON ({error})"
            continue
        if not isinstance(facts, dict):
            yield path, "it holds no facts of a run"


def leftovers(root: Path) -> Iterator[Path]:
    """Temporary files of writers that were killed; they do no harm and are never read."""
    for kind in ("scores", "separations", "runs", "audio"):
        yield from sorted((root / kind).rglob(".*.tmp"))
