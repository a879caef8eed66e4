"""Find plug-in folders by name or by path; nothing here imports a plug-in's code.

A plug-in is a folder with a manifest. The places are searched in this order: folders given by the
caller, the shipped ones, ``./adapters``, ``./datasets`` or ``./metrics`` of the working directory.
So a folder in the working directory never replaces a shipped plug-in of the same name; ``./name``
means the one in the working directory, and any other name with a separator is a path.
"""

from __future__ import annotations

import filecmp
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from benchbench.errors import ManifestError
from benchbench.plugins.bundled import folder

__all__ = ["Kind", "Origin", "Place", "Places", "require_same_name"]

Kind = Literal["adapters", "datasets", "metrics"]
Origin = Literal["given", "working directory", "shipped"]

NAME_LINE: Final = re.compile(r"""^name\s*=\s*["']([^"']+)["']""", re.MULTILINE)
READ_FOR_NAME: Final = 1 << 16
"""Characters of a manifest in which its name is searched."""

FILES: Final[dict[Kind, str]] = {
    "adapters": "adapter.toml",
    "datasets": "dataset.toml",
    "metrics": "metric.toml",
}


@dataclass(frozen=True)
class Place:
    """Where a plug-in was found.

    Parameters
    ----------
    folder
        The plug-in's folder.
    origin
        The kind of place.
    unused
        The folder of the working directory that has the same name and is not used; None: there is
        no such folder.
    """

    folder: Path
    origin: Origin
    unused: Path | None = None

    def note(self, name: str) -> str | None:
        """What the user should know about the place of the plug-in `name`; None: nothing."""
        if self.origin == "working directory":
            return f"{name} runs the code in {self.folder} of the working directory."
        if self.unused is not None and not _equal(self.folder, self.unused):
            return (
                f"{name} is the shipped one. To use {self.unused} of the working directory, "
                f"write ./{name}"
            )
        return None


@dataclass(frozen=True)
class Places:
    """All plug-in folders of one kind.

    Parameters
    ----------
    kind
        The kind of plug-in.
    given
        Folders searched before all others; each holds plug-in folders, or is one.
    working_directory
        The folder whose subfolder `kind` is searched last; None: neither it nor paths are used, for
        names that do not come from the user.
    """

    kind: Kind
    given: tuple[Path, ...] = ()
    working_directory: Path | None = Path()

    @property
    def file(self) -> str:
        """The name of the manifest."""
        return FILES[self.kind]

    def names(self) -> list[str]:
        """Every plug-in, by name."""
        return sorted(self._by_name)

    def find(self, name: str) -> Place | None:
        """The place of the plug-in of that name, or in that folder; None: there is none."""
        if "/" not in name and "\\" not in name:
            return self._by_name.get(name)
        if self.working_directory is None:
            return None
        bare = name.removeprefix("./")
        if name != bare and bare in self._local:
            return Place(self._local[bare], "working directory")
        path = Path(name).expanduser()
        return Place(path, "given") if (path / self.file).is_file() else None

    @cached_property
    def _by_name(self) -> dict[str, Place]:
        """Plug-ins by name; if two places have the same name, the first is used."""
        found: dict[str, Place] = {}
        for place in self.given:
            for name, path in self._plugins(place):
                found.setdefault(name, Place(path, "given"))
        for name, path in self._plugins(folder(self.kind)):
            found.setdefault(name, Place(path, "shipped", self._local.get(name)))
        for name, path in self._local.items():
            found.setdefault(name, Place(path, "working directory"))
        return found

    @cached_property
    def _local(self) -> dict[str, Path]:
        """The plug-ins of the working directory, unless it holds the shipped ones."""
        if self.working_directory is None:
            return {}
        local, shipped = self.working_directory / self.kind, folder(self.kind)
        if not local.is_dir() or (shipped.is_dir() and local.samefile(shipped)):
            return {}
        return dict(self._plugins(local))

    def _plugins(self, place: Path) -> Iterator[tuple[str, Path]]:
        folders = [place] if (place / self.file).is_file() else sorted(place.glob("*/"))
        for path in folders:
            if (path / self.file).is_file():
                yield _name(path, self.file), path


def _equal(first: Path, second: Path) -> bool:
    """Whether two folders hold the same code and manifests, as in a checkout of this project."""
    files, others = _code(first), _code(second)
    return files.keys() == others.keys() and all(
        filecmp.cmp(path, others[name], shallow=False) for name, path in files.items()
    )


def _code(folder_: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder_).as_posix(): path
        for path in folder_.rglob("*")
        if path.suffix in (".py", ".toml") and path.is_file()
    }


def _name(path: Path, file_name: str) -> str:
    """The folder's name, with hyphens instead of underscores if the manifest's name has them.

    The folder of ``demucs-onnx`` may be called ``demucs_onnx``, which is a valid package name.
    """
    folder_name = path.resolve().name
    with (path / file_name).open(encoding="utf-8", errors="replace") as file:
        stated = NAME_LINE.search(file.read(READ_FOR_NAME))
    return stated[1] if stated and stated[1].replace("-", "_") == folder_name else folder_name


def require_same_name(path: Path, name: str) -> None:
    """Refuse a manifest whose name differs from that of its folder.

    Raises
    ------
    ManifestError
    """
    if path.resolve().name not in (name, name.replace("-", "_")):
        raise ManifestError(
            f"{path} holds a manifest with name = {name!r}.",
            hint=f"Give the folder and the manifest one name: rename one of them to {name!r} "
            f"or {path.resolve().name!r}.",
        )
