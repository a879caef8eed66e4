"""Write a working template for a new model, data set or metric."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from benchbench.errors import UnknownNameError, UsageError
from benchbench.io.atomic import write_whole
from benchbench.io.names import is_file_name
from benchbench.io.paths import AnyPath, path_of
from benchbench.io.processes.staging import folder_beside, put_in_place
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.skeletons import SKELETONS

__all__ = ["new"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


def new(kind: str, name: str, folder: AnyPath | None = None) -> Path:
    """Write the files of a new plug-in that works without changes.

    Parameters
    ----------
    kind
        ``model``, ``dataset`` or ``metric``.
    name
        Its name: lower-case letters, digits and single hyphens or underscores.
    folder
        Where to put ``adapters/NAME``, ``datasets/NAME`` or ``metrics/NAME``; by default the
        working directory, where `bench` looks for plug-ins.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    UnknownNameError
        When the kind does not exist.
    UsageError
        When the name is invalid or taken, or its folder exists.
    OutputError
        When the folder cannot be written.

    Examples
    --------
    >>> import benchbench
    >>> benchbench.new("model", "half", "plugins").as_posix()
    'plugins/adapters/half'
    """
    if kind not in SKELETONS:
        raise UnknownNameError("kind", kind, SKELETONS)
    if not _NAME.fullmatch(name) or not is_file_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {kind}.",
            hint="Use lower-case letters, digits and single hyphens, such as my-model.",
        )
    place, files = SKELETONS[kind]
    target = path_of(folder or ".") / place / name
    if target.exists():
        raise UsageError(f"{target} exists already.", hint="Take another name, or edit that one.")
    catalog = Catalog()
    taken = {"model": catalog.adapter_names, "dataset": catalog.dataset_names}
    if kind in taken and name in taken[kind]():
        raise UsageError(f"There is a {kind} {name} already.", hint="Take another name.")
    root = re.sub(r"[^A-Z0-9]", "_", name.upper())
    with folder_beside(target) as work:
        for file, text in files.items():
            write_whole(work / name / file, text.replace("ROOTNAME", root).replace("NAME", name))
        put_in_place(work / name, target)
    return target
