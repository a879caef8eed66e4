"""Freed memory that stays in the process for the next array of its size.

The statistics of a second of audio take arrays of a few megabytes, made and freed again for each
second. The C library hands such memory back to the system at once, and the system clears every page
anew: a third of the time. With the limits below the process keeps up to 64 MB of freed memory.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Final

__all__ = ["keep_freed_memory"]

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 64 << 20
_LARGEST_BYTES: Final = 32 << 20
"""The most that glibc accepts; larger arrays are mapped and handed back as before."""


@cache
def keep_freed_memory() -> bool:
    """Ask the C library once to keep freed memory.

    Returns
    -------
    bool
        Whether it can be asked: glibc can.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    kept = mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    return bool(kept and mallopt(_M_MMAP_THRESHOLD, _LARGEST_BYTES))
