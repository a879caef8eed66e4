"""Write a whole folder atomically: prepare it beside its place, then rename it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchbench.errors import OutputError
from benchbench.io.processes.scratch import held, new_folder

__all__ = ["folder_beside", "put_in_place"]

_LONGEST: Final = 40
"""Characters of the target's name that its temporary folder repeats."""


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """An empty hidden folder beside `target`, on the same disk; removed at the end.

    Folders for the same target that a killed process left behind are removed first.

    Parameters
    ----------
    target
        The file or folder that is prepared; missing parent folders are created.

    Raises
    ------
    OutputError
        If it cannot be created, or if the ``with`` block raises `OSError` about one of its files,
        or about no file, as for a full disk.

    Examples
    --------
    >>> with folder_beside(Path("bundle")) as work:
    ...     written = (work / "new").mkdir()
    ...     put_in_place(work / "new", Path("bundle"))
    """
    folder = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with held(new_folder(target.parent, f".{target.name[:_LONGEST]}.work-")) as folder:
            yield folder
    except OSError as error:
        if folder is not None and not _concerns(error, target.parent):
            raise
        raise OutputError(
            f"Cannot write {target}: {error.strerror or error}.",
            hint="Free space or choose a folder you may write to with --out; "
            "everything stored before is intact.",
        ) from error


def _concerns(error: OSError, place: Path) -> bool:
    return error.filename is None or Path(str(error.filename)).is_relative_to(place)


def put_in_place(folder: Path, target: Path) -> None:
    """Rename a finished folder to `target`; an earlier folder of that name is replaced.

    Parameters
    ----------
    folder
        A folder inside that of `folder_beside`, which removes the earlier folder.
    target
        Its place.

    Raises
    ------
    OSError
        If it cannot be renamed; an earlier folder is then still there.
    """
    earlier = folder.with_name(f"{folder.name}.earlier")
    if target.is_dir():
        target.rename(earlier)
    try:
        folder.rename(target)
    except OSError:
        if earlier.is_dir():
            earlier.rename(target)
        raise
