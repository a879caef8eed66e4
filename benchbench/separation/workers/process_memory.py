"""Memory of processes: held memory, and resident memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Memory", "memory_of"]


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in bytes of one process or of several.

    Parameters
    ----------
    held
        Memory that the system cannot reclaim while the process runs: allocations, shared memory,
        files on a RAM disk. Equal to `resident` if the system does not report it.
    resident
        `held` plus pages of mapped files, which the system drops when it needs memory and reads
        again on access. Audio is in such files.
    """

    held: int = 0
    resident: int = 0

    def plus(self, other: Memory) -> Memory:
        """The sum of both."""
        return Memory(self.held + other.held, self.resident + other.resident)

    def largest(self, other: Memory) -> Memory:
        """The maximum of each number."""
        return Memory(max(self.held, other.held), max(self.resident, other.resident))


def memory_of(pid: int, *, itself: bool = True) -> Memory:
    """Memory of a process and its children; zero if it has ended.

    Shared pages count for each process.

    Parameters
    ----------
    pid
        The process.
    itself
        Whether to count the process itself, or its children only.
    """
    total = Memory()
    for process in _family(pid, itself):
        with contextlib.suppress(psutil.Error):
            total = total.plus(_memory(process))
    return total


def _family(pid: int, itself: bool) -> Iterator[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if itself:
            yield process
        yield from process.children(recursive=True)


def _memory(process: psutil.Process) -> Memory:
    kinds = _linux_kinds(process.pid)
    if kinds:
        held = kinds["RssAnon"] + kinds["RssShmem"]
        return Memory(held, held + kinds["RssFile"])
    resident = process.memory_info().rss
    return Memory(resident, resident)


def _linux_kinds(pid: int) -> dict[str, int]:
    """Resident bytes by kind, on Linux 4.5 or later; empty elsewhere, and for a zombie."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines.splitlines() if line.startswith("Rss"))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}
