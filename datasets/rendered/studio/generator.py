"""Import the song generator of the neighbouring data set `synth` under a private name.

It is a separate copy, because this data set adds drum and bass patterns, and the
eight songs of `synth` must not change.
"""

import importlib
import importlib.util
import sys
import zlib
from pathlib import Path
from types import ModuleType

__all__ = ["songmaker"]

_FOLDER = Path(__file__).resolve().parents[2] / "synth" / "songmaker"
_PACKAGE = f"_rendered_songmaker_{zlib.crc32(str(_FOLDER).encode()):08x}"


def songmaker(module: str) -> ModuleType:
    """Import a module of the generator, such as ``score`` or ``singing``.

    Raises
    ------
    ImportError
        If the data set `synth` is not beside this one.
    """
    if _PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            _PACKAGE, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
        )
        if spec is None or spec.loader is None or not _FOLDER.is_dir():
            raise ImportError(
                f"the song generator's package is not at {_FOLDER}; reinstall benchbench"
            )
        package = importlib.util.module_from_spec(spec)
        sys.modules[_PACKAGE] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{_PACKAGE}.{module}")
