"""Reject untrusted parts: links, parts that unpack to far more than their size, wrong types."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["require_bounded", "require_few_rows", "require_kinds", "require_no_link"]

MOST_ROWS = 5_000_000
"""Rows that any folder may have; each further row needs at least one byte in the files."""
MOST_TEXT = 64 << 20
"""Bytes that any part may unpack to, plus 50 for each byte of the file."""


def require_no_link(path: Path) -> None:
    """Refuse a link, whatever its target.

    Raises
    ------
    OSError
    """
    if path.is_symlink():
        raise OSError(f"{path} is a link, which is not followed; copy its target")


def require_bounded(facts: pq.FileMetaData, size: int) -> None:
    """Refuse a part whose stated unpacked size is far too large.

    Raises
    ------
    pyarrow.ArrowInvalid
    """
    require_few_rows(facts.num_rows, size)
    groups = (facts.row_group(number) for number in range(facts.num_row_groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > MOST_TEXT + 50 * size:
        raise pa.ArrowInvalid(f"it unpacks from {size} to {unpacked} bytes")


def require_few_rows(rows: int, size: int) -> None:
    """Refuse too many rows for the stored bytes, in one part or in a whole folder.

    Raises
    ------
    pyarrow.ArrowInvalid
    """
    if rows > MOST_ROWS + size:
        raise pa.ArrowInvalid(f"it claims {rows} rows in {size} bytes")


def require_kinds(stored: pa.Schema, wanted: pa.Schema) -> None:
    """Refuse a part with numbers in a text column, or text in a numeric one.

    Raises
    ------
    pyarrow.ArrowInvalid
    """
    for field in stored:
        index = wanted.get_field_index(field.name)
        if index >= 0 and _is_text(field.type) != _is_text(wanted.field(index).type):
            raise pa.ArrowInvalid(f"its column {field.name} holds {str(field.type)[:40]}")


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
