"""Distinguish faults of the machine (memory, disk, permissions) from damaged results."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from benchbench.errors import BenchbenchError, OutputError, UsageError

__all__ = ["raise_if_short"]

_SHORT: Final = {
    errno.EMFILE: ("files are open", "Raise the limit of open files (ulimit -n)."),
    errno.ENFILE: ("files are open on this machine", "End programs that hold many files open."),
    errno.ENOMEM: ("memory is free", "End other programs, or read fewer models at once."),
    errno.EACCES: ("", "Ask for permission to read it."),
    errno.EPERM: ("", "Ask for permission to read it."),
    errno.EIO: ("", "Check the disk, then try again."),
    errno.ENOSPC: ("", "Free space, then try again."),
    errno.ESTALE: ("", "Mount the shared disk again."),
}


def raise_if_short(error: BaseException, place: Path) -> None:
    """Raise an error that names the cause if the machine caused it; otherwise do nothing.

    Raises
    ------
    OutputError, UsageError
    """
    if isinstance(error, MemoryError):
        raise _short(
            place, "memory is short", "End other programs, or compact the results."
        ) from error
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and number in _SHORT:
        what, hint = _SHORT[number]
        why = f"too many {what}" if "open" in what else (error.strerror or str(error))
        kind = UsageError if number in (errno.EACCES, errno.EPERM) else OutputError
        raise _short(place, why, hint, kind) from error


def _short(
    place: Path, why: str, hint: str, kind: type[BenchbenchError] = OutputError
) -> BenchbenchError:
    return kind(f"{place} cannot be read now: {why}.", hint=f"{hint} Nothing in it is damaged.")
