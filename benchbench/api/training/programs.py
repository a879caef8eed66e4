"""The programs in an adapter's folder that run in this process: ``train.py`` and ``adapt.py``."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Final, Literal

from benchbench.errors import BenchbenchError, UsageError
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest_schema import ENGINE

__all__ = ["adapter_program"]

Verb = Literal["train", "adapt"]
NAMES: Final[dict[Verb, tuple[str, str]]] = {
    "train": ("training recipe", "trained"),
    "adapt": ("program that learns a stem from examples", "adapted"),
}


def adapter_program(
    model: Model, verb: Verb, catalog: Catalog, tell: Callable[[str], None]
) -> ModuleType:
    """Load ``<verb>.py`` of a model's adapter, with the adapter's folder on the import path.

    Parameters
    ----------
    model
        The model.
    verb
        Names the file, and the function that it holds.
    catalog
        Where models that have such a file are looked for.
    tell
        Called with a note on where the code was found.

    Raises
    ------
    UsageError
        When there is no such file, or the adapter runs in an environment of its own.
    """
    code = model.adapter.code
    if note := code.place.note(code.manifest.name):
        tell(note)
    path, (name, done) = code.folder / f"{verb}.py", NAMES[verb]
    if not path.is_file():
        raise UsageError(
            f"{model.name} has no {name} ({path} does not exist).",
            hint=f"Models with one: {', '.join(_able(catalog, verb))}.",
        )
    if model.manifest.runtime.interpreter != ENGINE:
        raise UsageError(f"{model.name} runs in its own environment and is {done} there.")
    sys.path.insert(0, str(code.folder.resolve()))
    spec = importlib.util.spec_from_file_location(f"{verb}_{code.manifest.name}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _able(catalog: Catalog, verb: Verb) -> list[str]:
    """The adapters with a file ``<verb>.py``."""
    names = []
    for name in catalog.adapter_names():
        with contextlib.suppress(BenchbenchError):  # a broken manifest has no program
            if (catalog.adapter(name).folder / f"{verb}.py").is_file():
                names.append(name)
    return names
