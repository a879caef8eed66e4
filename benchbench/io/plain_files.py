"""Read untrusted folders: only plain files below the folder count, links are never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "is_plain",
    "is_plain_below",
    "odd_entries",
    "plain_files",
    "plain_folders",
    "read_plain",
    "walk",
]


def walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """`os.walk` that fails where a folder cannot be listed, instead of leaving it out silently.

    Links to folders are not followed. A folder that vanishes meanwhile counts as empty.

    Raises
    ------
    OSError
        When a folder cannot be listed: no permission, too many open files.
    """

    def failed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise error

    return os.walk(root, onerror=failed)


def plain_files(root: Path) -> Iterator[Path]:
    """All plain files below a folder, in the order of names.

    The folder itself may be a link, because the user has named it; links below it, pipes, sockets
    and devices are skipped, and so is everything behind a link to a folder.

    Raises
    ------
    OSError
        When a folder cannot be listed.
    """
    for place, folders, files in walk(root):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            if is_plain(path):
                yield path


def plain_folders(root: Path) -> Iterator[Path]:
    """The direct subfolders of a folder that are not links, in the order of names."""
    if root.is_dir():
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        yield from (root / name for name in names)


def odd_entries(root: Path) -> Iterator[Path]:
    """All entries below a folder that are neither plain files nor folders: links, pipes, devices.

    Raises
    ------
    OSError
        When a folder cannot be listed.
    """
    for place, folders, files in walk(root):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = Path(place, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                yield path


def is_plain(path: Path) -> bool:
    """Whether the path is a plain file and not a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def is_plain_below(root: Path, path: Path) -> bool:
    """Whether `path` is a plain file below `root`, and no folder between them is a link.

    The folder `root` itself may be a link, because the user has named it.
    """
    between = (root / folder for folder in path.relative_to(root).parents if folder.parts)
    return is_plain(path) and not any(folder.is_symlink() for folder in between)


def read_plain(path: Path, limit: int) -> bytes:
    """The content of a plain file of at most `limit` bytes.

    Raises
    ------
    OSError
        If it is missing, a link, not a plain file, or larger.
    """
    # Without O_NONBLOCK, opening a pipe would block; Windows has neither of the two flags.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if path.is_symlink():
        raise OSError(f"{path.name} is a link, which is not followed")
    with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(f"{path.name} is not a regular file")
        if facts.st_size > limit:
            raise OSError(f"{path.name} has {facts.st_size} bytes; at most {limit} are read")
        return file.read(limit + 1)[:limit]
