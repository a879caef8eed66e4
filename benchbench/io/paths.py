"""Convert the paths that users pass: text or `pathlib.Path`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias, overload

__all__ = ["AnyPath", "path_of", "paths_of"]

AnyPath: TypeAlias = Path | str


@overload
def path_of(path: AnyPath) -> Path: ...
@overload
def path_of(path: None) -> None: ...
@overload
def path_of(path: AnyPath | None) -> Path | None: ...
def path_of(path: AnyPath | None) -> Path | None:
    """The path, with ``~`` expanded to the home folder; None stays None.

    Examples
    --------
    >>> path_of("songs"), path_of(None)
    (PosixPath('songs'), None)
    """
    return None if path is None else Path(path).expanduser()


def paths_of(paths: AnyPath | Iterable[AnyPath]) -> tuple[Path, ...]:
    """Several paths; a single path counts as a sequence of one."""
    if isinstance(paths, Path | str):
        return (path_of(paths),)
    return tuple(path_of(path) for path in paths)
