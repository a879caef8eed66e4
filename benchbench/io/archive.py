"""Take named files out of an archive that is not trusted.

Members are looked up and copied one by one as plain files; nothing is ever written where the
archive says, so links, absolute names and ``..`` cannot lead outside. An archive that tries is
refused as a whole.
"""

from __future__ import annotations

import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from benchbench.errors import WeightsError

__all__ = ["extract"]

Opener = Callable[[], IO[bytes]]

DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
    OSError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What the standard library raises over damaged, encrypted or unknown archives."""


def extract(
    archive: Path, target: Path, *, inner: str = "", only: frozenset[str] | None = None
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

    Returns
    -------
    The names that were copied, relative to `inner`.

    Raises
    ------
    WeightsError
        When the archive is damaged, or holds a link, an absolute name or ``..``.
    """
    prefix = PurePosixPath(inner)
    copied = []
    with _members(archive) as members:
        for name, open_member in members:
            path = PurePosixPath(name)
            if inner and not path.is_relative_to(prefix):
                continue
            relative = path.relative_to(prefix) if inner else path
            if only is not None and str(relative) not in only:
                continue
            destination = target.joinpath(*relative.parts)
            destination.parent.mkdir(parents=True, exist_ok=True)
            with open_member() as source, destination.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            copied.append(str(relative))
    return copied


@contextmanager
def _members(archive: Path) -> Iterator[list[tuple[str, Opener]]]:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as bundle:
                yield _zip_members(archive, bundle)
        else:
            with tarfile.open(archive) as tar:
                yield _tar_members(archive, tar)
    except DAMAGE as error:
        raise WeightsError(
            f"{archive} cannot be unpacked: {error}.", hint="Delete it and fetch it again."
        ) from error


def _zip_members(archive: Path, bundle: zipfile.ZipFile) -> list[tuple[str, Opener]]:
    members: list[tuple[str, Opener]] = []
    for entry in bundle.infolist():
        if not entry.filename or "\0" in entry.orig_filename:
            raise zipfile.BadZipFile(f"a member is called {entry.orig_filename!r}")
        is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
        _require_harmless(archive, entry.filename, is_link)
        if not entry.is_dir():
            members.append((entry.filename, lambda entry=entry: bundle.open(entry)))  # type: ignore[misc]
    return members


def _tar_members(archive: Path, tar: tarfile.TarFile) -> list[tuple[str, Opener]]:
    def opener(entry: tarfile.TarInfo) -> Opener:
        def open_entry() -> IO[bytes]:
            file = tar.extractfile(entry)
            if file is None:  # cannot be: only plain files are asked for
                raise tarfile.ReadError(f"{entry.name} is no plain file")
            return file

        return open_entry

    members = []
    for entry in tar.getmembers():
        _require_harmless(archive, entry.name, not (entry.isfile() or entry.isdir()))
        if entry.isfile():
            members.append((str(PurePosixPath(entry.name)), opener(entry)))
    return members


def _require_harmless(archive: Path, name: str, is_link: bool) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or ".." in path.parts or drive or is_link:
        what = "a link or device" if is_link else "a name that leads outside"
        raise WeightsError(
            f"{archive} is refused: its member {name!r} is {what}.",
            hint="Nothing was unpacked. Get the archive from its publisher.",
        )
