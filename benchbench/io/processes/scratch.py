"""Scratch folders for raw audio: removed at the end, and after processes that were killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchbench.errors import OutputError
from benchbench.io.atomic import is_full

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["held", "new_folder", "raise_if_unusable", "scratch_folder", "scratch_full"]

PREFIX: Final = "benchbench-"
LOCK: Final = "in-use.lock"
DAY_S: Final = 86400.0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for the raw audio of this process, removed at the end.

    Folders that a killed process left behind are removed first. They are recognised by a lock that
    the system releases when a process ends, not by a process ID: containers that share a temporary
    folder may have equal process IDs. ``TMPDIR`` chooses the disk.

    Raises
    ------
    OutputError
        If it cannot be created, or if something failed because it was removed meanwhile, or
        because its disk is full.
    """
    place = Path(tempfile.gettempdir())
    try:
        holder = new_folder(place, PREFIX)
    except OSError as error:
        raise OutputError(
            f"Cannot create a scratch folder in {place}: {error.strerror or error}.",
            hint="Let TMPDIR name a folder that you may write to.",
        ) from error
    with held(holder) as folder:
        try:
            yield folder
        except Exception as error:
            raise_if_unusable(folder, error)
            raise


def new_folder(place: Path, prefix: str) -> tempfile.TemporaryDirectory[str]:
    """A new folder in `place`; those that killed processes left behind are removed first.

    Parameters
    ----------
    place
        An existing folder.
    prefix
        Beginning of the folder's name, and of all names that are searched for left folders.

    Raises
    ------
    OSError
        If it cannot be created.
    """
    _remove_abandoned(place, prefix)
    return tempfile.TemporaryDirectory(
        prefix=f"{prefix}{os.getpid()}-", dir=place, ignore_cleanup_errors=True
    )


@contextmanager
def held(holder: tempfile.TemporaryDirectory[str]) -> Iterator[Path]:
    """Hold the lock of a folder of `new_folder`, by which other processes see that it is in use."""
    with holder as folder:
        lock = _locked(Path(folder))
        try:
            yield Path(folder)
        finally:
            lock.release()


def _locked(folder: Path) -> FileLock:
    """The lock of a folder, held where the disk has locks.

    The lock file gets its name when it is locked, because one that is free marks a left folder.
    """
    from filelock import FileLock  # imported on use: scoring files needs no scratch folder

    final = folder / LOCK
    lock = FileLock(final, timeout=0)
    for path in [final] if os.name == "nt" else [final.with_suffix(".new"), final]:
        lock = FileLock(path, timeout=0)
        with contextlib.suppress(OSError, NotImplementedError):  # no locks, or no hard links
            lock.acquire()
            if path != final:
                os.link(path, final)
            break
        lock.release()
    return lock


def raise_if_unusable(folder: Path, error: object) -> None:
    """Raise an error that names the cause if a scratch folder was removed or its disk is full.

    Parameters
    ----------
    folder
        The scratch folder.
    error
        What failed: an exception, or a message.

    Raises
    ------
    OutputError
    """
    cause = error if isinstance(error, BaseException) else None
    if not folder.is_dir():
        raise OutputError(
            f"The scratch folder {folder} was removed during the work.",
            hint="Let TMPDIR name a folder that no program cleans up, and run the same command "
            "again; everything stored before is intact.",
        ) from cause
    if cause is not None and is_full(cause):
        raise scratch_full(folder, cause) from cause


def scratch_full(folder: Path, error: object) -> OutputError:
    """The error for a scratch folder whose disk is full."""
    return OutputError(
        f"The scratch folder {folder} is full: {error}.",
        hint="Free space, or let TMPDIR name a larger disk; everything stored before is intact.",
    )


def _remove_abandoned(place: Path, prefix: str) -> None:
    """Remove folders whose lock is free; those without a lock file after one day."""
    from filelock import FileLock, Timeout

    for left in [path for path in place.iterdir() if path.name.startswith(prefix)]:
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            if left.is_symlink() or not left.is_dir():
                continue
            if (left / LOCK).exists():
                with FileLock(left / LOCK, timeout=0):
                    shutil.rmtree(left, ignore_errors=True)
            elif time.time() - left.stat().st_mtime > DAY_S:
                shutil.rmtree(left, ignore_errors=True)
