"""Write files atomically: completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchbench.errors import OutputError

__all__ = ["is_full", "replacing", "write_atomically", "write_whole"]

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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(".tmp", f".{path.name[:40]}.", path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
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
