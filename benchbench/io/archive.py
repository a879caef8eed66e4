"""Extract named files from an untrusted archive.

Members are looked up and copied one by one as plain files; the archive
never chooses a path, so links, absolute names and ``..`` cannot lead outside. An archive with such
names, or that unpacks to far more than its size, is refused as a whole, even if its hash matches.
"""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from benchbench.errors import OutputError, WeightsError
from benchbench.io.archive_bounds import Bounds
from benchbench.io.atomic import is_full

__all__ = ["extract"]

Opener = Callable[[], IO[bytes]]

DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
    OSError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""Errors of the standard library for damaged, encrypted or unknown archives."""


def extract(
    archive: Path,
    target: Path,
    *,
    inner: str = "",
    only: frozenset[str] | None = None,
    size: float | None = None,
) -> list[str]:
    """Copy the plain files below the folder `inner` of an archive into `target`.

    Parameters
    ----------
    archive
        A tar file (any compression) or a zip file, such as a wheel.
    target
        An existing folder.
    inner
        Folder inside the archive; "" for its root.
    only
        Names relative to `inner` to copy; None for all.
    size
        The declared size of the archive in bytes, if there is one.

    Returns
    -------
    The names that were copied, relative to `inner`.

    Raises
    ------
    WeightsError
        If the archive is damaged, holds a link, an absolute name, ``..`` or another unsafe name, or
        unpacks to far more than its size.
    OutputError
        If the disk is full.
    """
    bounds = Bounds(archive, size)
    prefix = PurePosixPath(inner)
    copied = []
    with _members(archive, bounds) as members:
        for name, open_member in members:
            path = PurePosixPath(name)
            if inner and not path.is_relative_to(prefix):
                continue
            relative = path.relative_to(prefix) if inner else path
            if only is not None and str(relative) not in only:
                continue
            destination = target.joinpath(*relative.parts)
            destination.parent.mkdir(parents=True, exist_ok=True)
            with open_member() as source, destination.open("xb") as file:
                while chunk := source.read(1 << 20):
                    bounds.take(len(chunk))
                    file.write(chunk)
            copied.append(str(relative))
    return copied


@contextmanager
def _members(archive: Path, bounds: Bounds) -> Iterator[list[tuple[str, Opener]]]:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as bundle:
                yield _zip_members(bundle, bounds)
        else:
            with tarfile.open(archive) as tar:
                yield _tar_members(tar, bounds)
    except DAMAGE as error:
        if is_full(error):
            raise OutputError(
                f"{archive} cannot be unpacked: the disk is full.",
                hint="Free space, or name another folder in BENCHBENCH_CACHE.",
            ) from error
        raise WeightsError(
            f"{archive} cannot be unpacked: {error}.", hint="Delete it and fetch it again."
        ) from error


def _zip_members(bundle: zipfile.ZipFile, bounds: Bounds) -> list[tuple[str, Opener]]:
    members: list[tuple[str, Opener]] = []
    for entry in bundle.infolist():
        if not entry.filename or "\0" in entry.orig_filename:
            raise zipfile.BadZipFile(f"a member is called {entry.orig_filename!r}")
        kind = (entry.external_attr >> 16) & 0o170000
        bounds.admit(entry.filename, entry.file_size, plain=kind in (0, 0o100000, 0o040000))
        if not entry.is_dir():
            members.append((entry.filename, lambda entry=entry: bundle.open(entry)))  # type: ignore[misc]
    return members


def _tar_members(tar: tarfile.TarFile, bounds: Bounds) -> list[tuple[str, Opener]]:
    def opener(entry: tarfile.TarInfo) -> Opener:
        def open_entry() -> IO[bytes]:
            file = tar.extractfile(entry)
            if file is None:  # cannot happen: only plain files are requested
                raise tarfile.ReadError(f"{entry.name} is not a regular file")
            return file

        return open_entry

    members = []
    for entry in tar:  # one by one: sizes are counted before the next member is read
        plain = (entry.isfile() or entry.isdir()) and not entry.issparse()
        bounds.admit(entry.name, entry.size, plain=plain)
        if entry.isfile():
            members.append((str(PurePosixPath(entry.name)), opener(entry)))
    return members
