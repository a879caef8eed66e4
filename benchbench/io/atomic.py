"""Write files and folders atomically: completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchbench.errors import OutputError

__all__ = ["is_full", "replacing", "work_folder", "write_atomically", "write_whole"]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_full(error: BaseException) -> bool:
    """Whether writing failed for lack of space: a full disk, a quota, a size limit."""
    return isinstance(error, OSError) and error.errno in FULL


def write_atomically(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, and rename it to `path`.

    A reader sees the old file or the new one, never an incomplete file.

    Raises
    ------
    OutputError
        If the folder cannot be written to, or the disk is full; the temporary file is removed.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        write(file)


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write a file with this content atomically; text is written as UTF-8. See `write_atomically`."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, which is renamed to `path` at the end.

    For libraries that need a path. Otherwise like `write_atomically`.
    """
    temporary: Path | None = None
    descriptor = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = _temporary(path)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        temporary = None  # its name may already be another writer's
        _flush_folder(path.parent)
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}.",
            hint="Free space or choose a folder you may write to with --out; "
            "everything stored before is intact.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if descriptor >= 0:
            os.close(descriptor)


def _temporary(path: Path) -> tuple[int, Path]:
    """An empty temporary file beside `path`, and a descriptor to be closed in the end.

    The file that a killed process has left is used again, so that such files do not accumulate. A
    lock, which the system releases when a process ends, tells it from the file of a living process.
    """
    usual = path.with_name(f".{path.name[:60]}.tmp")
    descriptor = _taken(usual)
    if descriptor is not None:
        return descriptor, usual
    descriptor, name = tempfile.mkstemp(".tmp", f".{path.name[:40]}.", path.parent)
    os.close(descriptor)  # Windows does not rename an open file
    return -1, Path(name)


def _taken(path: Path) -> int | None:
    """Lock and empty a file, which is created if necessary; None if that is impossible."""
    if os.name == "nt":
        return None
    import fcntl

    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        facts = os.fstat(descriptor)
        own = stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1
        if own and os.path.samestat(facts, os.stat(path, follow_symlinks=False)):  # noqa: PTH116
            os.ftruncate(descriptor, 0)
            return descriptor
    os.close(descriptor)
    return None


@contextmanager
def work_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` in which its content is prepared; removed at the end.

    The caller holds a lock on `target`, so a folder that exists was left by a killed process.

    Raises
    ------
    OutputError
        If it cannot be created.
    """
    folder = target.with_name(f".{target.name}.work")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(
            f"Cannot create {folder}: {error.strerror or error}.",
            hint="Free space, or name a folder that you may write to.",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _flush_folder(folder: Path) -> None:
    """Make a rename durable if the system can flush a folder (Windows cannot)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems refuse it
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
