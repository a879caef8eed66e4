"""Find stored parts that are damaged or do not match their names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.io.plain_files import odd_entries, plain_files
from benchbench.results.parquet_parts import UNREADABLE, is_compacted, read_groups
from benchbench.results.run_schema import RUN_RECORD_ERRORS, read_run_record, run_records
from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.shortage import raise_if_short

__all__ = ["damaged_parts", "damaged_runs", "leftovers"]

SCHEMAS = {"scores": SCORES, "separations": SEPARATIONS}


def damaged_parts(root: Path, kind: str) -> Iterator[tuple[Path, str]]:
    """Every part of a results folder that is damaged, and the reason.

    Parameters
    ----------
    root
        The results folder.
    kind
        ``scores`` or ``separations``.
    """
    place = root / kind
    for path in [place] if place.is_symlink() else odd_entries(place):
        yield path, "it is a link or not a regular file, and is not read"
    for path in () if place.is_symlink() else plain_files(place):
        if path.suffix == ".parquet" and not path.name.startswith("."):
            why = _fault(path, kind)
            if why:
                yield path, why


def _fault(path: Path, kind: str) -> str | None:
    try:
        return next(filter(None, (_group_fault(t, path, kind) for t in _groups(path, kind))), None)
    except FileNotFoundError:  # compacted in the meantime
        return None
    except UNREADABLE as error:
        raise_if_short(error, path)
        return f"it cannot be read ({_first_line(error)})"


def _groups(path: Path, kind: str) -> Iterator[pa.Table]:
    for table in read_groups(path, SCHEMAS[kind]):
        table.validate(full=True)
        yield table


def _group_fault(table: pa.Table, path: Path, kind: str) -> str | None:
    key = table.column_names[0]
    if not is_compacted(path) and table.num_rows and _words(table, key) != {path.stem}:
        return "its content belongs to another cell than its name says"
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


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _words(table: pa.Table, column: str) -> set[str]:
    return set(pc.unique(table.column(column)).to_pylist())


def damaged_runs(root: Path) -> Iterator[tuple[Path, str]]:
    """Every ``run.json`` that cannot be read, and the reason."""
    runs = root / "runs"
    for path in [runs] if runs.is_symlink() else odd_entries(runs):
        yield path, "it is a link or not a regular file, and is not read"
    for path in run_records(root):
        if path.is_symlink():
            continue
        try:
            read_run_record(path)
        except RUN_RECORD_ERRORS as error:
            raise_if_short(error, path)
            yield path, f"it is not the record of a run ({_first_line(error)})"


def leftovers(root: Path) -> Iterator[Path]:
    """Temporary files of writers that were killed; they are harmless and never read."""
    kinds = (root / kind for kind in ("scores", "separations", "runs", "audio"))
    for path in chain.from_iterable(plain_files(kind) for kind in kinds):
        if path.name.startswith(".") and path.suffix == ".tmp":
            yield path
