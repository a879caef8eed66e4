"""Build and read Arrow columns by their buffers, without importing pandas.

`pyarrow.array` and `pyarrow.scalar` import pandas to check whether their argument is a pandas
object, and so do the functions that call them and `to_numpy`. In every scoring process that takes a second of
processor and 35 MB, more than scoring a short excerpt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = [
    "float_column",
    "number_bytes",
    "table_of_rows",
    "text_column",
    "version_column",
    "zero",
]

_NUMBERS: Final = {
    pa.float64(): np.float64,
    pa.int64(): np.int64,
    pa.int32(): np.int32,
    pa.uint8(): np.uint8,
}


def float_column(
    values: npt.NDArray[np.float64] | None, count: int, *, finite: bool = False
) -> pa.Array:
    """Float64 values of shape (count,); all missing if None.

    With `finite`, NaN and infinity become missing too.

    Examples
    --------
    >>> import numpy as np
    >>> float_column(np.array([1.5, np.nan]), 2, finite=True).to_pylist()
    [1.5, None]
    """
    if values is None:
        return pa.nulls(count, pa.float64())
    data = np.ascontiguousarray(values, np.float64)
    validity = _validity(np.isfinite(data)) if finite else None
    return pa.Array.from_buffers(pa.float64(), count, [validity, pa.py_buffer(data)])


def text_column(values: Iterable[str | None]) -> pa.Array:
    """A text column; None is a missing value.

    Examples
    --------
    >>> text_column(["a", None]).to_pylist()
    ['a', None]
    """
    texts = list(values)
    encoded = [b"" if text is None else text.encode("utf-8") for text in texts]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    offsets[1:] = np.cumsum([len(text) for text in encoded])
    present = np.array([text is not None for text in texts], np.bool_)
    buffers = [_validity(present), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def version_column(version: int, count: int) -> pa.Array:
    """The same int32 in every row."""
    data = np.full(count, version, np.int32)
    return pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(data)])


def table_of_rows(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """A table from one dictionary per row; what a row lacks is missing, further keys are ignored.

    The columns are text, numbers or truth values.

    Examples
    --------
    >>> schema = pa.schema([("track", pa.string()), ("jobs", pa.int32())])
    >>> table_of_rows([{"track": "a", "jobs": 2}, {"track": "b"}], schema).to_pylist()
    [{'track': 'a', 'jobs': 2}, {'track': 'b', 'jobs': None}]
    """
    columns = [_column([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def zero(kind: pa.DataType) -> pa.Scalar:
    """The number 0, or the empty text.

    A type that benchbench does not write, as a damaged file may state one, is left to pyarrow.

    Examples
    --------
    >>> zero(pa.string()).as_py(), zero(pa.float64()).as_py()
    ('', 0.0)
    """
    if pa.types.is_string(kind):
        return text_column([""])[0]
    return _column([0], kind)[0] if kind in _NUMBERS else pa.scalar(0, kind)


def number_bytes(column: pa.Array) -> bytes:
    """The values of a column of numbers in which none is missing, as they lie in memory.

    Examples
    --------
    >>> number_bytes(version_column(3, 2))
    b'\\x03\\x00\\x00\\x00\\x03\\x00\\x00\\x00'
    """
    if column.type not in _NUMBERS:
        return bytes(column.to_numpy(zero_copy_only=False).tobytes())
    if not len(column):
        return b""
    width = column.type.bit_width // 8
    return bytes(column.buffers()[1].slice(column.offset * width, len(column) * width))


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        return text_column(values)
    present = np.array([value is not None for value in values], np.bool_)
    known = [0 if value is None else value for value in values]
    if pa.types.is_boolean(kind):
        bits = np.packbits(np.array(known, np.bool_), bitorder="little")
        data = pa.py_buffer(bits.tobytes())
    else:
        data = pa.py_buffer(np.array(known, _NUMBERS[kind]))
    return pa.Array.from_buffers(kind, len(values), [_validity(present), data])


def _validity(present: npt.NDArray[np.bool_]) -> pa.Buffer | None:
    if present.all():
        return None
    return pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
