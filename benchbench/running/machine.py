"""Facts about the machine and about the engine's interpreter."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "engine_packages",
    "keep_freed_memory",
    "machine",
    "processors",
    "visible_gpus",
]

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8  # glibc's numbers for `mallopt`


def processors() -> int:
    """Processors that this process may use."""
    import psutil

    affinity = getattr(psutil.Process(), "cpu_affinity", None)
    return len(affinity()) if affinity else psutil.cpu_count() or 1


@cache
def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, accelerators and BLAS of this machine."""
    import psutil

    return {
        "cpu": _processor() or platform.processor() or platform.machine() or "unknown",
        "cores": processors(),
        "memory_bytes": psutil.virtual_memory().total,
        "platform": platform.platform(),
        "gpu": _accelerators(),
        "blas": _blas(),
    }


def _processor() -> str:
    """The processor's product name, "" where the system does not report it."""
    if sys.platform == "win32":
        import winreg

        place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")


def _accelerators() -> list[str]:
    """Names of NVIDIA accelerators, as listed by the driver's tool."""
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


def keep_freed_memory() -> None:
    """Let this process use freed memory again instead of giving it back to the system.

    Scoring allocates and frees arrays of megabytes continually. Dask sets
    ``MALLOC_TRIM_THRESHOLD_`` for its workers, so that each array is given back and the system has
    to clear every page again: scoring takes three times as long. This works with glibc only;
    elsewhere nothing happens. Processes that are started later do not inherit Dask's setting either.
    """
    os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
    if platform.libc_ver()[0] != "glibc":
        return
    import ctypes

    allocator = ctypes.CDLL(None)
    allocator.mallopt(_MMAP_THRESHOLD, 32 << 20)  # the largest value that glibc accepts
    allocator.mallopt(_TRIM_THRESHOLD, 256 << 20)
    allocator.mallopt(_ARENA_MAX, 1)  # the thresholds apply to the first arena only


def _blas() -> list[str]:
    import numpy  # noqa: F401 - loads the BLAS that is inspected below
    from threadpoolctl import threadpool_info

    pools = threadpool_info()
    return sorted({f"{p['internal_api']} {p.get('version') or ''}".strip() for p in pools})


@cache
def engine_packages() -> dict[str, str]:
    """Every package of the engine's interpreter and its version.

    Packages without metadata, such as one that is being installed or removed, are left out.
    """
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        with contextlib.suppress(OSError, TypeError, KeyError):
            facts = distribution.metadata
            if facts["Name"]:
                found[facts["Name"].lower()] = facts["Version"]
    return dict(sorted(found.items()))
