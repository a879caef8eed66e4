"""Large arrays in memory-mapped temporary files.

A track of two hours has gigabytes of statistics per frame. Arrays above a size limit are stored in
a memory-mapped temporary file: the system keeps the pages in use and writes the rest to the folder
that ``TMPDIR`` names. The file is unlinked and disappears with the array.
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
    """An array of zeros; a large one is mapped to a temporary file.

    Raises
    ------
    OSError
        When the disk has no room for the file.
    """
    size = np.dtype(dtype).itemsize * math.prod(shape)
    if size <= MEMORY_BYTES:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(prefix="benchbench-") as file:
        file.truncate(size)
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))
