"""Shared by the programs of the suite: one row per figure, and measured processes."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]


_SET_CHILD_SUBREAPER = 36  # of prctl(2)


@dataclass(frozen=True)
class Figure:
    """One measured number.

    `better` is ``lower`` or ``higher``; `bar` is the worst accepted number.
    """

    suite: str
    name: str
    x: float
    x_unit: str
    value: float
    unit: str
    better: str = "lower"
    bar: float | None = None

    @property
    def passed(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.better == "lower" else self.value >= self.bar

    def line(self) -> str:
        """The figure as a line of text."""
        mark = {True: "ok", False: "MISSED", None: ""}[self.passed]
        bar = "" if self.bar is None else f" (bar {self.bar:g})"
        return f"{self.suite:10s} {self.name:40s} {self.x:8g} {self.x_unit:8s} {self.value:10.3f} {self.unit}{bar} {mark}"


@dataclass(frozen=True)
class Process:
    """Time and memory of a process, and its output."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    anonymous_mb: float
    output: str


def measured(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
    """Run a Python program in a separate process.

    `peak_mb` includes pages of mapped files, which the system can reclaim; `anonymous_mb` counts
    only memory that it cannot reclaim. Both are sampled, where there is a `/proc`: what the system
    reports for an ended process may be the peak of the process that started it.
    """
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    whole = {
        **os.environ,
        **dict.fromkeys(names, "1"),
        "PYTHONPATH": str(ROOT),
        **(environment or {}),
    }
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], env=whole, stdout=subprocess.PIPE)
    anonymous = peak = 0.0
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    output = b""
    while process.returncode is None:
        anonymous = max(anonymous, _status_mb(process.pid, "RssAnon"))
        peak = max(peak, _status_mb(process.pid, "VmHWM"))
        output += process.stdout.read() or b""
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.01)
    wall = time.perf_counter() - start
    with process.stdout:
        output += process.stdout.read() or b""
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments[:3])} ended with {process.returncode}.")
    peak = peak or usage.ru_maxrss / 1024
    return Process(wall, usage.ru_utime + usage.ru_stime, peak, anonymous, output.decode())


def family_seconds(words: Sequence[str]) -> tuple[float, float]:
    """Wall seconds of a command, and processor seconds of all processes below it.

    Processes that outlive the command, such as a fork server, are waited for: on Linux they become
    children of this process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    others = {child.pid for child in psutil.Process().children()}
    before, start = os.times(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    while left := [c for c in psutil.Process().children() if c.pid not in others]:
        for child in left:
            os.waitpid(child.pid, 0)
    after = os.times()
    user = after.children_user - before.children_user
    return wall, user + after.children_system - before.children_system


def _status_mb(pid: int, field: str) -> float:
    """A field of ``/proc/PID/status`` in MiB, such as ``VmHWM``, the peak; 0 where there is none."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith(f"{field}:"):
            return float(line.split()[1]) / 1024
    return 0.0


def from_json(text: str) -> Any:
    """The last line of a process's output, parsed as JSON."""
    return json.loads(text.strip().splitlines()[-1])
