"""Where the folders that travel with the package lie: adapters, data sets, report templates."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from benchbench.errors import UsageError

__all__ = ["folder"]


def folder(name: Literal["adapters", "datasets", "reports"]) -> Path:
    """The folder of that name, from an installed wheel or from a source tree.

    A wheel carries it inside the package, since files of ours must not land in the top level of
    somebody's site-packages; a source tree and an editable installation keep it beside the package.

    Raises
    ------
    UsageError
        When the installation lacks it.
    """
    package = Path(__file__).resolve().parent
    for place in (package / "_bundled" / name, package.parent / name):
        if place.is_dir():
            return place
    raise UsageError(
        f"This installation of benchbench has no folder {name!r}.",
        hint="Install it again: python -m pip install --force-reinstall --no-deps benchbench",
    )
