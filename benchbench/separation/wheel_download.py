"""Download one wheel from the package index with pip, within limits, and never beyond this process."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from benchbench.errors import OutputError, WeightsError
from benchbench.io.download import Progress
from benchbench.io.redaction import redacted
from benchbench.io.terminal import printable
from benchbench.separation.python_discovery import isolated_variables
from benchbench.separation.workers.process_tree import ProcessTree

__all__ = ["fetch_wheel"]

OTHER_FILES: Final = 256 << 20
"""Bytes that a wheel may hold beside twice the declared size of the weights."""
UNDECLARED: Final = 4 << 30
"""Maximum bytes of a wheel without a declared size."""
MOST_MEMORY: Final = 1 << 30
"""Bytes that pip may hold; it reads the pages of an index as a whole."""
STALL_S: Final = 120.0
"""Seconds within which pip must connect to the index, or receive something."""
LEAST_SPEED: Final = 1000.0
"""Bytes per second, over `STALL_S`, below which the download is ended."""

_POLL_S: Final = 0.1
_LONGEST_LINE: Final = 10_000
_KEPT_LINES: Final = 40
_PROGRESS: Final = re.compile(rb"Progress (\d+) of (\d+)")
_BROKEN: Final = re.compile(r"connection broken by '?(\w+)\(")
_ERRORS: Final = ("ERROR", "×")
_FULL: Final = re.compile(r"\[Errno (?:28|122)\] ([\w ]+)")


def fetch_wheel(
    requirement: str, folder: Path, *, size: float | None = None, progress: Progress | None = None
) -> Path:
    """Download one wheel, without its dependencies, from the configured package index.

    pip is used, so that its index, proxy and certificate settings apply. It ends when this process
    ends, however that ends, and its temporary files lie in `folder`.

    Parameters
    ----------
    requirement
        ``name==version``.
    folder
        The folder for the wheel; the caller removes it.
    size
        The declared size of the weights in bytes. A wheel of more than twice that and 256 MB is
        refused, without a declaration one of more than 4 GB.
    progress
        Called for each chunk, if pip is new enough to report its progress (24.1).

    Raises
    ------
    WeightsError
        When pip fails, the wheel is too large, the index sends pages without an end, or less
        than 1,000 bytes arrive per second over two minutes.
    OutputError
        When the disk is full.
    """
    temporary = folder / "pip"
    temporary.mkdir(exist_ok=True)
    command = [
        sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--no-input",
        "--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder), requirement,
        *(["--progress-bar=raw"] if _pip_reports_progress() else []),
    ]  # fmt: skip
    variables = {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    tree = ProcessTree(command, isolated_variables() | variables)
    said = _Output(tree, progress)
    try:
        problem = _watched(
            tree, folder, 2 * int(size) + OTHER_FILES if size else UNDECLARED, said.tell
        )
    finally:
        tree.end()
    said.finish()
    wheels = sorted(folder.glob("*.whl"))
    if problem is None and tree.wait() == 0 and wheels:
        return wheels[-1]
    raise _failed(requirement, folder, problem or _reason(said.lines))


class _Output:
    """What pip prints: its last lines, and its progress, which the main thread passes on."""

    def __init__(self, tree: ProcessTree, progress: Progress | None) -> None:
        self._progress = progress
        self._lines: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._amounts: deque[tuple[int, int]] = deque(maxlen=1)
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (tree.stdout, tree.stderr)
        ]
        tree.stdin.close()
        for reader in self._readers:
            reader.start()

    @property
    def lines(self) -> list[str]:
        return [printable(line.decode("utf-8", "replace").strip())[:500] for line in self._lines]

    def tell(self) -> None:
        """Pass the newest progress on."""
        with contextlib.suppress(IndexError):
            fetched, total = self._amounts.pop()
            if self._progress:
                self._progress(fetched, total or None)

    def finish(self) -> None:
        for reader in self._readers:
            reader.join()
        self.tell()

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError, OSError), stream:
            while line := stream.readline(_LONGEST_LINE):
                amounts = _PROGRESS.fullmatch(line.strip())
                if amounts is None:
                    self._lines.append(line)
                else:
                    self._amounts.append((int(amounts[1]), int(amounts[2])))


def _watched(tree: ProcessTree, folder: Path, limit: int, tell: Callable[[], None]) -> str | None:
    """Wait for pip; returns why it must be ended, or None if it has ended by itself."""
    window, before = time.monotonic(), 0
    while not tree.ended:
        time.sleep(_POLL_S)
        tell()
        sizes = _sizes(folder)
        if max(sizes, default=0) > limit:
            return f"it is longer than the {limit} bytes allowed"
        if tree.memory().held > MOST_MEMORY:
            return f"the index sends more than the {MOST_MEMORY} bytes allowed"
        if time.monotonic() - window > STALL_S:
            if sum(sizes) - before < LEAST_SPEED * STALL_S:
                return f"fewer than {LEAST_SPEED:.0f} bytes per second arrive"
            window, before = time.monotonic(), sum(sizes)
    return None


def _sizes(folder: Path) -> list[int]:
    """Sizes in bytes of the files below a folder, whose files and folders pip removes meanwhile."""
    sizes = []
    for parent, _, names in os.walk(folder):  # passes over folders that are gone
        for name in names:
            with contextlib.suppress(OSError):
                sizes.append((Path(parent) / name).stat().st_size)
    return sizes


def _reason(lines: list[str]) -> str:
    """Why pip failed: a broken connection is named, although pip says that nothing matches."""
    if full := _FULL.search("\n".join(lines)):
        return full[0]
    broken = [kind[1] for line in lines if (kind := _BROKEN.search(line))]
    if broken:
        return f"there is no connection to the package index or its proxy ({broken[-1]})"
    errors = [line for line in lines if line.startswith(_ERRORS)]
    return (errors or lines or ["pip ended without a message"])[-1].removeprefix("× ")


def _failed(requirement: str, folder: Path, why: str) -> WeightsError | OutputError:
    if full := _FULL.fullmatch(why):
        return OutputError(
            f"Cannot write {folder}: {full[1]}.",
            hint="Free space, or name another folder in BENCHBENCH_CACHE.",
        )
    return WeightsError(
        f"{requirement} cannot be fetched with pip: {redacted(why.rstrip('.'))}.",
        hint="Check `python -m pip download` and pip's index and proxy settings.",
    )


def _pip_reports_progress() -> bool:
    try:
        release = importlib.metadata.version("pip").split(".")[:2]
        return tuple(map(int, release)) >= (24, 1)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False
