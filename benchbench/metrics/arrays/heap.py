"""What the C library does with freed memory: keep it in the process, or return it.

The statistics of one second of audio need arrays of a few megabytes, allocated and freed for each
second. By default the C library returns this memory to the system at once, and the system clears
each page again, which takes a third of the time. With the limits below the process keeps up to
64 MB of freed memory.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Final

__all__ = ["keep_freed_memory", "return_freed_memory"]

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 64 << 20
_LARGEST_BYTES: Final = 32 << 20
"""The largest value that glibc accepts; larger arrays are still mapped and returned when freed."""


@cache
def keep_freed_memory() -> bool:
    """Set the limits of the C library, once per process.

    Returns
    -------
    bool
        Whether the C library has these limits (glibc has).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    kept = mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    return bool(kept and mallopt(_M_MMAP_THRESHOLD, _LARGEST_BYTES))


def return_freed_memory() -> None:
    """Hand freed memory back to the system, where the C library can (glibc).

    Without this, the heap of a process that reads many tables one after the other grows to several
    times of what is in use, because small arrays that stay lie between large ones that were freed.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
