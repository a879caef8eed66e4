"""Build Arrow columns from buffers, without importing pandas.

`pyarrow.array` and `pyarrow.scalar` import pandas to check whether their argument is a pandas
object. In every scoring process that takes longer than scoring a short excerpt.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["float_column", "text_column", "version_column"]


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


def _validity(present: npt.NDArray[np.bool_]) -> pa.Buffer | None:
    if present.all():
        return None
    return pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
