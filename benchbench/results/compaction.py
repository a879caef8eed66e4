"""Merge many small parts, so that a large folder is listed and read quickly.

A compacted part is complete and in place before the parts it replaces are removed, and a cell that
is stored twice counts once; so a compaction may be killed at any time and run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchbench.errors import DamagedResultsError
from benchbench.io.atomic import replacing
from benchbench.io.processes.locks import locked
from benchbench.results.parquet_parts import (
    COMPACTED,
    UNREADABLE,
    Folder,
    encoded,
    folders,
    read_groups,
    write_parts,
)
from benchbench.results.schema import PARTITIONED_BY, SCORES, SEPARATIONS
from benchbench.results.shortage import raise_if_short
from benchbench.results.store import Results

__all__ = ["Compacted", "compact"]

ROWS = 1 << 17
"""Rows held in memory at once; also the rows of one row group in the file."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """The result of a compaction: parts before, parts after, and their rows."""

    before: int
    after: int
    rows: int


def compact(results: Results, *, tell: Callable[[str], None] = lambda _: None) -> Compacted:
    """Merge the parts of every folder into one part per folder.

    Parts that are written in the meantime stay unchanged.

    Parameters
    ----------
    results
        The results.
    tell
        Called with a message for each folder.

    Raises
    ------
    DamagedResultsError
        When a part cannot be read; nothing is removed in that case.
    OutputError
        When the new part cannot be written; nothing is removed in that case.
    """
    before = after = rows = 0
    with locked(results.root / ".compact", tell):
        for kind, schema, key, dictionaries in (
            ("scores", SCORES, "cell_id", PARTITIONED_BY),
            ("separations", SEPARATIONS, "separation_id", ()),
        ):
            for place, folder in _folders(results.root / kind).items():
                paths = [*folder.loose, *folder.compacted]
                before, after = before + len(paths), after + 1
                if len(paths) > 1 or not _has_types(paths[0], encoded(schema, dictionaries)):
                    written = _compact_folder(place, folder, schema, key, dictionaries)
                    rows += written
                    tell(f"{place}: {len(paths)} parts, {written} rows")
    return Compacted(before, after, rows)


def _folders(root: Path) -> dict[Path, Folder]:
    try:
        return folders(root)
    except OSError as error:
        raise_if_short(error, root)
        raise _damaged(root, error) from error


def _has_types(path: Path, schema: pa.Schema) -> bool:
    """Whether a part's columns are stored with today's types; a damaged part counts as such."""
    try:
        return bool(pq.read_schema(path).equals(schema))
    except UNREADABLE:
        return True


def _compact_folder(
    place: Path, folder: Folder, schema: pa.Schema, key: str, dictionaries: Sequence[str]
) -> int:
    """Write the new part, then remove the parts it replaces; return its number of rows."""
    paths = [*folder.loose, *folder.compacted]
    seen = {path: _state(path) for path in paths}
    names = hashlib.sha256("\n".join(path.name for path in paths).encode()).hexdigest()[:16]
    target = place / f"{COMPACTED}{_generation(folder) + 1:06d}-{names}.parquet"
    with replacing(target) as temporary:
        rows = write_parts(_gathered(folder, schema, key), schema, temporary, dictionaries)
    for path in paths:
        if path != target and _state(path) == seen[path]:  # otherwise it was computed again
            path.unlink(missing_ok=True)
    return rows


def _gathered(folder: Folder, schema: pa.Schema, key: str) -> Iterator[pa.Table]:
    """The rows of a folder's parts in batches, each cell once."""
    waiting: list[pa.Table] = []
    count = 0
    for table in _tables(folder, schema, key):
        waiting.append(table)
        count += table.num_rows
        if count >= ROWS:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, count = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _tables(folder: Folder, schema: pa.Schema, key: str) -> Iterator[pa.Table]:
    known = {path.stem for path in folder.loose}
    for path in folder.loose:
        yield from _checked(path, schema)
    for path in folder.compacted:
        own = set()
        for table in _checked(path, schema):
            cells = table.column(key).to_pylist()
            own.update(cells)
            yield table.filter(pa.array([cell not in known for cell in cells], pa.bool_()))
        known |= own


def _checked(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    try:
        yield from read_groups(path, schema)
    except UNREADABLE as error:
        raise_if_short(error, path)
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DamagedResultsError:
    return DamagedResultsError(
        f"{path} cannot be read: {error}.",
        hint="`bench doctor RESULTS --repair` sets damaged parts aside; nothing was removed.",
    )


def _generation(folder: Folder) -> int:
    """The highest number in the names of compacted parts; a higher number takes precedence."""
    numbers = [path.name.removeprefix(COMPACTED).partition("-")[0] for path in folder.compacted]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _state(path: Path) -> Sequence[int]:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return ()
    return (facts.st_ino, facts.st_size, facts.st_mtime_ns)
