"""The vocoder WORLD, as the package `pyworld` has it.

The package asks `pkg_resources` for its own version while it is imported. Setuptools has removed
that module, and older versions warn about it; so a substitute that returns versions is used.
"""

import importlib
import importlib.metadata
import sys
from types import ModuleType, SimpleNamespace

__all__ = ["pyworld"]

_ASKED = "pkg_resources"


def _loaded() -> ModuleType:
    if "pyworld" in sys.modules:
        return sys.modules["pyworld"]
    before = sys.modules.get(_ASKED)
    stand_in = ModuleType(_ASKED)
    vars(stand_in)["get_distribution"] = lambda name: SimpleNamespace(
        version=importlib.metadata.version(name)
    )
    sys.modules[_ASKED] = stand_in
    try:
        return importlib.import_module("pyworld")
    finally:
        del sys.modules[_ASKED]
        if before is not None:
            sys.modules[_ASKED] = before


pyworld = _loaded()
