"""The location of the plug-in folders and templates that ship with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["folder"]


def folder(name: Literal["adapters", "datasets", "metrics", "reports"]) -> Path:
    """The shipped folder of that name: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_bundled" / name
    return installed if installed.is_dir() else package.parent / name
