"""Read Parquet parts as one table: loose parts hold one cell, compacted parts hold many.

A folder may hold a cell twice, in a loose and in a compacted part: after a killed compaction, after
copying a folder into another, or when a cell was computed again. Then one copy is used: the loose
part before the compacted ones, and of those the one whose name sorts last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchbench.io.plain_files import walk
from benchbench.results.arrow_columns import number_bytes, zero
from benchbench.results.part_limits import (
    require_bounded,
    require_few_rows,
    require_kinds,
    require_no_link,
)

__all__ = [
    "COMPACTED",
    "UNREADABLE",
    "Folder",
    "encoded",
    "folders",
    "is_compacted",
    "read_groups",
    "read_part",
    "read_parts",
    "stored_keys",
    "while_compacted",
    "write_parts",
]

COMPACTED = "compacted-"
"""Prefix of the names of compacted parts."""

DIGEST = "benchbench_digest"

UNREADABLE = (pa.ArrowException, OSError, ValueError, MemoryError)
"""Exceptions that reading a damaged part may raise."""

T = TypeVar("T")

ATTEMPTS = 5
"""How often a folder is listed again when its parts vanish during a compaction."""


@dataclass(frozen=True)
class Folder:
    """The parts of one folder.

    Parameters
    ----------
    loose
        Parts with one cell, named after it.
    compacted
        Parts with many cells, in order of precedence.
    """

    loose: tuple[Path, ...]
    compacted: tuple[Path, ...]


def is_compacted(path: Path) -> bool:
    """Whether a part holds many cells."""
    return path.name.startswith(COMPACTED)


def folders(root: Path) -> dict[Path, Folder]:
    """Every folder below `root` with its parts.

    Raises
    ------
    OSError
        When a part or a folder is a link: its target does not belong to these results; or when a
        folder cannot be listed.
    """
    for place in (root, *root.parents):
        require_no_link(place)
        if place.name in ("scores", "separations"):
            break
    found: dict[Path, list[Path]] = {}
    for folder, names, files in walk(root):
        for name in names:
            require_no_link(Path(folder, name))
        for name in sorted(files):
            if name.endswith(".parquet") and not name.startswith("."):
                path = Path(folder, name)
                require_no_link(path)
                found.setdefault(path.parent, []).append(path)
    return {
        place: Folder(
            tuple(path for path in paths if not is_compacted(path)),
            tuple(path for path in reversed(paths) if is_compacted(path)),
        )
        for place, paths in sorted(found.items())
    }


def write_parts(
    tables: Iterable[pa.Table], schema: pa.Schema, where: Any, dictionaries: Sequence[str] = ()
) -> int:
    """Write a part from one table or several; returns the number of rows.

    Every page has a checksum and the file a digest of its values, so that all damage is detected:
    a flipped bit in a column's name, for instance, would otherwise lose the column.

    Parameters
    ----------
    tables
        Tables of `schema`.
    schema
        The columns and their types in memory.
    where
        The file, or its path.
    dictionaries
        Text columns that the file declares as dictionaries, see
        `benchbench.results.schema.PARTITIONED_BY`.
    """
    rows, total = 0, hashlib.sha256()
    stored = encoded(schema, dictionaries)
    with pq.ParquetWriter(where, stored, write_page_checksum=True) as writer:
        for table in tables:
            writer.write_table(table.cast(stored), row_group_size=max(1, table.num_rows))
            total.update(_digest(table, schema))
            rows += table.num_rows
        writer.add_key_value_metadata({DIGEST: total.hexdigest()})
    return rows


def read_groups(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """A part's rows, one group after another.

    Raises
    ------
    pyarrow.ArrowException, OSError
        When it cannot be read or differs from what was written; possibly after the last group.
    """
    total = hashlib.sha256()
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        require_bounded(file.metadata, path.stat().st_size)
        require_kinds(file.schema_arrow, schema)
        for number in range(file.num_row_groups):
            stored = file.read_row_group(number)
            known = pa.schema([_as_known(field, schema) for field in stored.schema])
            total.update(_digest(stored.cast(known), known))  # including columns of other versions
            yield _of_schema(stored, schema)
        stated = (file.metadata.metadata or {}).get(DIGEST.encode())
    if stated is not None and stated != total.hexdigest().encode():
        raise pa.ArrowInvalid("its content is not what was written")


def read_part(path: Path, schema: pa.Schema) -> pa.Table:
    """The columns of a schema from one part; others are ignored and its digest is not compared.

    Raises
    ------
    pyarrow.ArrowException, OSError
        When it cannot be read, a column has another type, or it unpacks to far more than its size.
    """
    held = set(pq.read_schema(path).names)  # an older version lacked some columns
    text = [
        field.name for field in schema if pa.types.is_dictionary(field.type) and field.name in held
    ]
    try:
        with pq.ParquetFile(
            path, read_dictionary=text, memory_map=True, page_checksum_verification=True
        ) as file:
            require_bounded(file.metadata, path.stat().st_size)
            require_kinds(file.schema_arrow, schema)
            return _of_schema(file.read(columns=schema.names, use_threads=False), schema)
    except KeyError as error:  # a dictionary was requested for a column that is not text
        raise pa.ArrowInvalid(f"{path}: the column {error} has another type") from error


def _as_known(field: pa.Field, schema: pa.Schema) -> pa.Field:
    index = schema.get_field_index(field.name)
    return field if index < 0 else schema.field(index)


def _of_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns in their order; those that an older version did not have are null."""
    known = set(table.column_names)
    for field in schema:
        lacks = field.name not in known or table.column(field.name).null_count
        if not field.nullable and table.num_rows and lacks:
            raise pa.ArrowInvalid(f"it has no {field.name}")
    columns = [
        table.column(field.name) if field.name in known else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, names=schema.names).cast(schema)


def _digest(table: pa.Table, schema: pa.Schema) -> bytes:
    """A digest of the values, independent of their layout in memory or in a file."""
    total = hashlib.sha256(str(table.num_rows).encode())
    for field in schema:
        column = table.column(field.name).combine_chunks()
        array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        total.update(field.name.encode())
        total.update(number_bytes(pc.is_null(array).cast(pa.uint8())))
        if pa.types.is_string(field.type):
            words = pc.fill_null(array, zero(array.type))
            total.update(number_bytes(pc.binary_length(words)))
            total.update("".join(words.to_pylist()).encode())
        else:
            values = array.cast(pa.uint8()) if pa.types.is_boolean(field.type) else array
            total.update(number_bytes(pc.fill_null(values, zero(values.type))))
    return total.digest()


def encoded(schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Schema:
    """The schema with text as dictionaries, which hold each word once instead of once per row.

    Parameters
    ----------
    schema
        Any schema.
    columns
        Only these columns; by default all that hold text.
    """
    return pa.schema(
        [
            field.with_type(pa.dictionary(pa.int32(), pa.string()))
            if pa.types.is_string(field.type) and (columns is None or field.name in columns)
            else field
            for field in schema
        ],
        metadata=schema.metadata,
    )


def read_parts(
    root: Path,
    schema: pa.Schema,
    key: str,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
) -> pa.Table:
    """All rows below a folder, or those that match `where`, each cell once.

    Parameters
    ----------
    root
        The folder.
    schema
        The columns; text may be asked for as dictionaries, see `encoded`.
    key
        The column that names the cell.
    columns
        Only these columns.
    where
        Only rows that match.

    Raises
    ------
    pyarrow.ArrowException, OSError
        When a part cannot be read.
    """
    return while_compacted(lambda: _read_once(root, schema, key, columns, where))


def while_compacted(read: Callable[[], T]) -> T:
    """What `read` returns, which lists a folder and reads its parts.

    It is called again when a part has vanished in between, because a compaction has replaced it.

    Examples
    --------
    >>> while_compacted(lambda: stored_keys(Path("results/scores"), "cell_id"))
    set()
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(FileNotFoundError):
            return read()
    return read()


def _read_once(
    root: Path,
    schema: pa.Schema,
    key: str,
    columns: Sequence[str] | None,
    where: pc.Expression | None,
) -> pa.Table:
    tables = list(_scanned_parts(root, schema, key, columns, where))
    if not tables:
        empty = schema.empty_table()
        return empty.select(list(columns)) if columns else empty
    table = pa.concat_tables(tables).unify_dictionaries()
    for field in table.schema:
        if not field.nullable and table.column(field.name).null_count:
            raise pa.ArrowInvalid(f"a part has no {field.name}")
    return table


def _scanned_parts(
    root: Path,
    schema: pa.Schema,
    key: str,
    columns: Sequence[str] | None,
    where: pc.Expression | None,
) -> Iterator[pa.Table]:
    """All loose parts together, then compacted ones without the cells of parts with precedence."""
    every = folders(root)
    alone = [folder for folder in every.values() if not folder.loose and len(folder.compacted) == 1]
    loose = [path for folder in every.values() for path in folder.loose]
    if loose:
        yield _scanned(loose, schema, columns, where)
    for folder in every.values():
        if folder in alone:
            continue
        for path, known in _shadowed(folder, key):
            fresh = ~pc.field(key).isin(pa.array(sorted(known), pa.string())) if known else None
            both = fresh if where is None else where if fresh is None else where & fresh
            yield _scanned([path], schema, columns, both)
    if alone:
        yield _scanned([folder.compacted[0] for folder in alone], schema, columns, where)


def _shadowed(folder: Folder, key: str) -> Iterator[tuple[Path, set[str]]]:
    """Every compacted part with its cells that are superseded."""
    known = {path.stem for path in folder.loose}
    for path in folder.compacted:
        yield path, set(known)
        if path != folder.compacted[-1]:
            known |= _keys_of(path, key)


def _scanned(
    paths: Sequence[Path],
    schema: pa.Schema,
    columns: Sequence[str] | None,
    where: pc.Expression | None,
) -> pa.Table:
    import pyarrow.dataset as pads  # imports pandas, which processes that only write do not need

    scan = pads.ParquetFragmentScanOptions(
        pre_buffer=False,  # parts are small
        page_checksum_verification=True,
    )
    text = {field.name for field in schema if pa.types.is_dictionary(field.type)}
    form = pads.ParquetFileFormat(default_fragment_scan_options=scan, dictionary_columns=text)
    dataset = pads.dataset([str(path) for path in paths], schema=schema, format=form)
    rows = size = 0
    for fragment in dataset.get_fragments():
        bytes_ = Path(fragment.path).stat().st_size
        require_bounded(fragment.metadata, bytes_)
        require_kinds(fragment.physical_schema, schema)
        rows, size = rows + fragment.metadata.num_rows, size + bytes_
    require_few_rows(rows, size)
    return dataset.to_table(columns=list(columns) if columns else None, filter=where)


def stored_keys(root: Path, key: str) -> set[str]:
    """The cells below a folder; of compacted parts only the column `key` is read.

    Raises
    ------
    pyarrow.ArrowException, OSError
        When a compacted part cannot be read.

    Examples
    --------
    >>> stored_keys(Path("results/scores/model=irm%3A2stems/dataset=demo"), "cell_id")
    set()
    """
    every = folders(root).values()
    loose = {path.stem for folder in every for path in folder.loose}
    return loose.union(*(_keys_of(path, key) for folder in every for path in folder.compacted))


def _keys_of(path: Path, key: str) -> set[str]:
    """The cells that a part holds."""
    column = pq.read_table(path, columns=[key], read_dictionary=[key], partitioning=None).column(
        key
    )
    return set(pc.unique(column).to_pylist())
