"""Facts about the machine, and a virtual environment for each adapter that needs its own."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchbench.cache import cache_folder, locked
from benchbench.declarations import ENGINE, Runtime
from benchbench.errors import AdapterEnvironmentError

__all__ = [
    "engine_packages",
    "git_state",
    "interpreter",
    "machine",
    "processors",
    "visible_gpus",
]

READY = "ready.txt"
"""The file in an environment that says it is complete; it holds the resolved versions."""


def processors() -> int:
    """Processors that this process may use."""
    import psutil

    affinity = getattr(psutil.Process(), "cpu_affinity", None)
    return len(affinity()) if affinity else psutil.cpu_count() or 1


@cache
def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, accelerators and BLAS of this machine."""
    import cpuinfo
    import psutil

    return {
        "cpu": cpuinfo.get_cpu_info().get("brand_raw") or platform.processor() or "unknown",
        "cores": processors(),
        "memory_bytes": psutil.virtual_memory().total,
        "platform": platform.platform(),
        "gpu": _accelerators(),
        "blas": _blas(),
    }


def _accelerators() -> list[str]:
    """Names of NVIDIA accelerators, as their driver's own tool lists them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return []
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def visible_gpus() -> tuple[str, ...]:
    """The accelerators that processes of this machine may use, as CUDA names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return tuple(name.strip() for name in chosen.split(",") if name.strip())
    return tuple(str(number) for number in range(len(_accelerators())))


def _blas() -> list[str]:
    import numpy  # noqa: F401 - loads the BLAS that is then looked at
    from threadpoolctl import threadpool_info

    pools = threadpool_info()
    return sorted({f"{p['internal_api']} {p.get('version') or ''}".strip() for p in pools})


@cache
def engine_packages() -> dict[str, str]:
    """Every package of the engine's interpreter and its version."""
    every = (distribution.metadata for distribution in importlib.metadata.distributions())
    found = {facts["Name"].lower(): facts["Version"] for facts in every if facts["Name"]}
    return dict(sorted(found.items()))


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and whether anything is changed, of the repository that holds `folder`."""
    if shutil.which("git") is None:
        return None

    def ask(*words: str) -> str | None:
        command = ["git", "-C", str(folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    sha = ask("rev-parse", "HEAD")
    return {"sha": sha, "dirty": bool(ask("status", "--porcelain"))} if sha else None


def interpreter(
    runtime: Runtime, *, tell: Callable[[str], None] = lambda _: None, rebuild: bool = False
) -> Path:
    """The Python that runs an adapter; its environment is built first if need be.

    An environment is keyed by Python version, requirements and platform, so adapters with equal
    needs share one.

    Raises
    ------
    AdapterEnvironmentError
        When the Python version is not there, or the requirements cannot be installed.
    """
    if runtime.interpreter == ENGINE:
        return Path(sys.executable)
    key = repr((runtime.interpreter, sorted(runtime.requirements), platform.platform()))
    folder = cache_folder("environments") / hashlib.sha256(key.encode()).hexdigest()[:16]
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    with locked(folder):
        if rebuild or not (folder / READY).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            tell(f"Installing {', '.join(runtime.requirements)} for Python {runtime.interpreter}")
            _build(runtime, folder, python)
    return python


def _build(runtime: Runtime, folder: Path, python: Path) -> None:
    base = _find_python(runtime.interpreter)
    _run([str(base), "-m", "venv", str(folder)], "create an environment")
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _run([*install, "numpy", *runtime.requirements], "install the requirements")
    versions = _run([str(python), "-m", "pip", "freeze"], "list the versions")
    (folder / READY).write_text(versions, encoding="utf-8")


def _find_python(version: str) -> Path:
    if platform.python_version().startswith(version + "."):
        return Path(sys.executable)
    found = shutil.which(f"python{version}")
    if found is None:
        raise AdapterEnvironmentError(
            f"Python {version} is needed for this adapter and is not on the PATH.",
            hint=f"Install Python {version} (python.org, your package manager, pyenv or uv) so that "
            f"`python{version}` starts it.",
        )
    return Path(found)


def _run(command: list[str], purpose: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AdapterEnvironmentError(
            f"Cannot {purpose}: {' '.join(command)} ended with {done.returncode}.",
            hint=done.stderr.strip()[-1500:],
        )
    return done.stdout
