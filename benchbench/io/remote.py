"""Remote results: any folder that fsspec can address (``s3://``, ``gs://``, ...).

Files are uploaded one by one and appear only when complete. Reading uses a mirror in the cache,
which fetches new and changed files, so that every command that reads results reads local files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from benchbench.errors import MissingExtraError, OutputError, UsageError
from benchbench.io.atomic import write_whole
from benchbench.io.cache import cache_folder
from benchbench.io.processes.locks import locked

__all__ = ["RemoteFolder", "is_url", "local_folder"]

ADDRESS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/{1,3}(?=[^/])")
WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "memory", "oss", "r2"})
"""Protocols where an object appears only when it is complete, so that no renaming is needed."""


def is_url(place: str | Path) -> bool:
    """Whether a location is an address of fsspec; ``C:/results`` and ``file://...`` are not."""
    found = ADDRESS.match(str(place))
    return found is not None and found[1] != "file"


def local_folder(place: str | Path) -> Path:
    """A location as a local folder; a remote one is mirrored first.

    Raises
    ------
    UsageError
        When the address cannot be read.
    """
    if is_url(place):
        return RemoteFolder(str(place)).mirror()
    text = str(place)
    if ADDRESS.match(text):
        return Path("/" + text.partition(":")[2].lstrip("/"))
    return Path(place)


@dataclass(frozen=True)
class RemoteFolder:
    """A folder at an address.

    Parameters
    ----------
    address
        Such as ``s3://bucket/results``. Slashes that conversion to a path removed are restored.
    """

    address: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        address = ADDRESS.sub(_with_slashes, self.address)
        try:
            import fsspec
        except ImportError as error:
            raise MissingExtraError("fsspec", "cluster", f"Results at {address}") from error
        try:
            files, root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError, OSError) as error:
            raise UsageError(
                f"{address} cannot be opened: {error}.",
                hint="Install the fsspec package for such addresses (s3fs, gcsfs, ...).",
            ) from error
        return files, root.rstrip("/")

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name, relative to the folder."""
        files, root = self._place
        with _told(f"{self.address}/{name}", "read"):
            files.invalidate_cache()
            return bool(files.isfile(f"{root}/{name}"))

    def put(self, path: Path, name: str) -> None:
        """Upload a file completely, replacing an earlier one.

        Raises
        ------
        OutputError
            If it cannot be uploaded.
        """
        files, root = self._place
        target = f"{root}/{name}"
        with _told(f"{self.address}/{name}", "write"):
            files.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
            if WHOLE.intersection(_protocols(files)):
                files.pipe_file(target, path.read_bytes())
                return
            temporary = str(PurePosixPath(target).parent / f".{uuid4().hex}.tmp")
            files.put_file(str(path), temporary)
            files.mv(temporary, target)

    def mirror(self) -> Path:
        """A local folder with the current files of the remote folder.

        Raises
        ------
        UsageError
            When the address cannot be read.
        """
        name = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        folder = cache_folder("mirrors") / name
        with locked(folder):
            folder.mkdir(exist_ok=True)
            remote_files = dict(self._listed())
            for path in [path for path in folder.rglob("*") if path.is_file()]:
                if (
                    path.relative_to(folder).as_posix() not in remote_files
                    and path.suffix != ".tag"
                ):
                    path.unlink()
            for file, tag in remote_files.items():
                self._fetch(folder, file, tag)
        return folder

    def _listed(self) -> Iterator[tuple[str, str]]:
        """Every file's name, and a value that changes with the file."""
        files, root = self._place
        with _told(self.address, "read"):
            files.invalidate_cache()
            found = files.find(root, detail=True) if files.exists(root) else {}
        for path, facts in found.items():
            name = str(path).removeprefix(root).lstrip("/")
            if ".." in PurePosixPath(name).parts or name.endswith(".tmp"):
                continue
            marks = [facts.get(key) for key in ("size", "ETag", "etag", "mtime", "created")]
            yield name, hashlib.sha256(repr(marks).encode()).hexdigest()

    def _fetch(self, folder: Path, name: str, tag: str) -> None:
        files, root = self._place
        path = folder / name
        mark = path.with_name(f".{path.name[:80]}.tag")
        if path.is_file() and mark.is_file() and mark.read_text(encoding="ascii") == tag:
            return
        with _told(f"{self.address}/{name}", "read"):
            try:
                content = files.cat_file(f"{root}/{name}")
            except FileNotFoundError:  # removed since it was listed
                return
        write_whole(path, content)
        mark.write_text(tag, encoding="ascii")


def _with_slashes(found: re.Match[str]) -> str:
    """The beginning of an address, with slashes that conversion to a path removed."""
    return f"{found[1]}://" + ("/" if found[1] == "local" else "")


def _protocols(files: Any) -> set[str]:
    return {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)


@contextmanager
def _told(place: str, verb: str) -> Iterator[None]:
    """Convert errors of any file system to errors of benchbench."""
    try:
        yield
    except Exception as error:  # each file system raises different errors
        raise (OutputError if verb == "write" else UsageError)(
            f"Cannot {verb} {place}: {error}.",
            hint="Check the address and your permissions; what was stored before is intact.",
        ) from error
