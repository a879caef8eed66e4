"""The interpreter of each adapter: the engine's, or a separate virtual environment.

Environments lie in the cache, keyed by Python version, requirements and platform, so adapters
with equal requirements share one. Each holds a record of its installed packages, which is stored
with every run that uses it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbench.io.atomic import write_whole
from benchbench.io.cache import cache_folder
from benchbench.io.processes.locks import locked
from benchbench.io.redaction import redacted
from benchbench.plugins.manifest_schema import ENGINE, SAME, Runtime
from benchbench.separation.python_discovery import find_python, find_uv, run_tool

__all__ = [
    "InstalledEnvironment",
    "Interpreter",
    "environment_folder",
    "environments",
    "interpreter",
    "remove_environment",
]

RECORD = "environment.json"
"""The file that marks an environment as complete and lists its packages."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs adapters.

    Parameters
    ----------
    python
        The program.
    version
        Its full version.
    packages
        Installed packages, name -> version; empty for the engine's interpreter, whose packages
        every run records anyway.
    requirements
        The requested packages.
    installer
        The program that installed it, with its version.
    folder, size_bytes
        The environment and its size on disk; None and 0 for the engine's interpreter.
    """

    python: Path
    version: str
    packages: Mapping[str, str]
    requirements: tuple[str, ...] = ()
    installer: str = ""
    folder: Path | None = None
    size_bytes: int = 0

    def facts(self) -> dict[str, Any] | None:
        """The facts that a run records; None for the engine's interpreter."""
        if self.folder is None:
            return None
        return {
            "python": self.version,
            "requirements": list(self.requirements),
            "installer": self.installer,
            "packages": dict(self.packages),
        }


@dataclass(frozen=True, slots=True)
class InstalledEnvironment:
    """An environment in the cache and the adapters that use it (if none, it may be removed)."""

    interpreter: Interpreter
    adapters: tuple[str, ...]


def interpreter(
    runtime: Runtime,
    *,
    tell: Callable[[str], None] = lambda _: None,
    download_python: bool = False,
) -> Interpreter:
    """The Python that runs an adapter; its environment is built first if necessary.

    Parameters
    ----------
    runtime
        The requirements of the manifest.
    tell
        Called before an installation, with its description and size.
    download_python
        Whether uv may download the Python version when it is missing.

    Raises
    ------
    AdapterEnvironmentError
        If the Python version is missing, or the requirements cannot be installed.
    """
    folder = environment_folder(runtime)
    if folder is None:
        return Interpreter(Path(sys.executable), sys.version.split()[0], {})
    with locked(folder, tell):
        found = _read(folder)
        if found is None:
            shutil.rmtree(folder, ignore_errors=True)
            _build(runtime, folder, tell, download_python)
            found = _read(folder)
    assert found is not None
    return found


def environment_folder(runtime: Runtime) -> Path | None:
    """The folder of an adapter's environment, built or not; None for the engine's interpreter."""
    if runtime.interpreter == ENGINE:
        return None
    key = repr((_version(runtime), sorted(runtime.requirements), sysconfig.get_platform()))
    return cache_folder("environments") / hashlib.sha256(key.encode()).hexdigest()[:16]


def environments() -> list[Interpreter]:
    """Every complete environment in the cache."""
    folders = sorted(path for path in cache_folder("environments").iterdir() if path.is_dir())
    return [found for folder in folders if (found := _read(folder)) is not None]


def remove_environment(folder: Path, tell: Callable[[str], None] = lambda _: None) -> int:
    """Remove an environment; returns the freed bytes."""
    with locked(folder, tell):
        size = _size(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return size


def _build(
    runtime: Runtime, folder: Path, tell: Callable[[str], None], download_python: bool
) -> None:
    base = find_python(_version(runtime), download=download_python)
    wanted = ["numpy", *runtime.requirements]  # the worker itself needs NumPy
    size = f", up to {runtime.size_mb:.0f} MB on the disk" if runtime.size_mb else ""
    uv = find_uv()
    python = _python_of(folder)
    tell(
        f"Installing {', '.join(runtime.requirements) or 'NumPy'} for Python "
        f"{_version(runtime)} with {'uv' if uv else 'pip'}{size}"
    )
    if uv is not None:
        create = [str(uv), "venv", "--no-project", "--python", str(base), str(folder)]
        install = [str(uv), "pip", "install", "--python", str(python), *wanted]
        freeze = [str(uv), "pip", "freeze", "--python", str(python)]
        installer = run_tool([str(uv), "--version"], "ask uv for its version")
    else:
        pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
        create = [str(base), "-I", "-m", "venv", str(folder)]
        install = [*pip, "install", *wanted]
        freeze = [*pip, "freeze"]
        installer = ""
    try:
        run_tool(create, "create an environment", folder.parent)
        run_tool(install, "install the requirements", folder)
        packages = _packages(run_tool(freeze, "list the versions", folder))
        version = run_tool([str(python), "-I", "-c", "import sys; print(sys.version)"], "start it")
        installer = installer or run_tool([*pip, "--version"], "ask pip for its version")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # an incomplete environment is of no use
        raise
    record = {
        "python": version.split()[0],
        "requirements": list(runtime.requirements),
        "installer": " ".join(installer.split()[:2]),
        "packages": packages,
        "size_bytes": _size(folder),
    }
    write_whole(folder / RECORD, json.dumps(record, indent=1))


def _version(runtime: Runtime) -> str:
    if runtime.interpreter == SAME:
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    return runtime.interpreter


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _packages(frozen: str) -> dict[str, str]:
    """``pip freeze`` as names and versions; a package from a URL keeps its address,
    without user and password."""
    versions = {}
    for line in frozen.splitlines():
        name, separator, version = line.replace(" @ ", "==").partition("==")
        if separator and not name.startswith(("#", "-")):
            versions[name.strip().lower()] = redacted(version.strip())
    return dict(sorted(versions.items()))


def _read(folder: Path) -> Interpreter | None:
    """The environment in a folder; None if it is incomplete, or its base Python is missing."""
    python = _python_of(folder)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Interpreter(
            python,
            record["python"],
            record["packages"],
            tuple(record["requirements"]),
            record["installer"],
            folder,
            record["size_bytes"],
        ) if python.exists() else None  # fmt: skip
    except (OSError, ValueError, KeyError):
        return None


def _size(folder: Path) -> int:
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
