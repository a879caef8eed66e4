"""Arrays that grow with the length of a track, and yet not out of memory.

A track of two hours has gigabytes of statistics by frame. Beyond a size they lie in a temporary
file that is mapped: the system keeps what is in use and writes the rest to the disk that ``TMPDIR``
names. The file has no name of its own and is gone with the array.
"""

from __future__ import annotations

import math
import tempfile
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["mapped_zeros"]

MEMORY_BYTES = 128 << 20
"""The largest array that is held in memory."""


def mapped_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """An array of zeros; a large one is a map of a temporary file.

    Raises
    ------
    OSError
        When there is no room for the file.
    """
    size = np.dtype(dtype).itemsize * math.prod(shape)
    if size <= MEMORY_BYTES:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(prefix="benchbench-") as file:
        file.truncate(size)
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))
