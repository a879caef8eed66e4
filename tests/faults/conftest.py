"""Start the program ``bench`` in a process group of its own, disturb it, and look at what is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]


def start(
    words: Sequence[object],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    modules: Path | None = None,
    before: Sequence[str] = (),
) -> subprocess.Popen[str]:
    """Start ``bench`` with these words; its output is read with ``communicate``.

    `modules` is a folder on Python's path, `before` a program that starts it.
    """
    path = os.pathsep.join(map(str, filter(None, (modules, ROOT))))
    return subprocess.Popen(
        [*before, sys.executable, "-m", "benchbench", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **(environment or {})}, start_new_session=True,
    )  # fmt: skip


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def remove_at_once(folder: Path, place: Path) -> None:
    """Remove a folder into which another process may be writing: it is moved to `place` first."""
    away = place / "removed"
    folder.rename(away)
    shutil.rmtree(away, ignore_errors=True)  # what is still written ends up outside the folder


def family(process: subprocess.Popen[Any]) -> list[psutil.Process]:
    """The process and everything that it started."""
    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(process.pid)
        return [whole, *whole.children(recursive=True)]
    return []


def survivors(processes: Sequence[psutil.Process], seconds: float = 10.0) -> list[psutil.Process]:
    """The processes that still run after some time."""
    return psutil.wait_procs(processes, timeout=seconds)[1]


def files(folder: Path) -> dict[str, int]:
    """Every file below a folder with its time of change."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
