"""Locks between processes, which say who holds them while another process waits."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchbench.errors import OutputError

if TYPE_CHECKING:
    import filelock

__all__ = ["locked"]

SAID_AFTER_S: Final = 1.0
"""Seconds of waiting before the first message."""

SAID_EVERY_S: Final = 60.0
"""Seconds between further messages."""


@contextmanager
def locked(target: Path, tell: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold a lock on `target`, so that two processes do not create it at the same time.

    The system releases the lock of a process that ends, however it ends. A file beside the lock
    names the process that holds it.

    Parameters
    ----------
    target
        What is about to be created or changed; the lock is ``<target>.lock``.
    tell
        Called with a sentence about the holder after a second of waiting, and every minute.

    Raises
    ------
    OutputError
        If the lock file cannot be written.

    Examples
    --------
    >>> with locked(Path("weights")):
    ...     Path("weights").mkdir()
    """
    import filelock  # imported on use: `bench score` needs no lock

    lock = filelock.FileLock(f"{target}.lock")
    holder = Path(f"{target}.holder")
    _acquire(lock, holder, target, tell)
    try:
        with contextlib.suppress(OSError):  # it serves messages only
            holder.write_text(json.dumps(_this_process()), encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _acquire(
    lock: filelock.FileLock, holder: Path, target: Path, tell: Callable[[str], None]
) -> None:
    import filelock

    wait_s = SAID_AFTER_S
    while True:
        try:
            lock.acquire(timeout=wait_s)
            return
        except filelock.Timeout:
            tell(f"Waiting for {target.name.lstrip('.')}, which is locked by {_described(holder)}.")
            wait_s = SAID_EVERY_S
        except OSError as error:
            raise OutputError(
                f"Cannot lock {target}: {error.strerror or error}.",
                hint="Its folder must exist, and you must be allowed to write into it.",
            ) from error


def _this_process() -> dict[str, Any]:
    """The holder as it is recorded: without names of the user, the machine or the command."""
    import psutil

    process = psutil.Process()
    return {"pid": os.getpid(), "started": process.create_time(), "machine": _machine()}


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _described(holder: Path) -> str:
    """The holder of a lock in words, with what is known about its state."""
    try:
        facts = json.loads(holder.read_text(encoding="utf-8"))
        pid, started = int(facts["pid"]), float(facts["started"])
        age_s = max(0.0, time.time() - holder.stat().st_mtime)
        machine = str(facts["machine"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "another process"
    import psutil

    since = f"process {pid} for {_duration(age_s)}"
    if machine != _machine():
        return f"{since}, on another machine or in another container"
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > 1.0 or process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(pid)
        if process.status() == psutil.STATUS_STOPPED:
            return f"{since}; it is stopped (`kill -CONT {pid}` continues it)"
    except psutil.NoSuchProcess:
        return f"process {pid}, which has ended; one of its children still holds the lock"
    except psutil.Error:
        return since
    return f"{since}; it is running"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
