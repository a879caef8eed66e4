"""Start a program, and end it together with all processes that it started.

On Linux a supervisor (`benchbench.separation.workers.supervisor`) runs in between and adopts the
processes that the program leaves behind. Elsewhere its descendants and, on POSIX, its session are ended.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import psutil

from benchbench.separation.workers.process_memory import Memory, memory_of

__all__ = ["PATIENCE_S", "ProcessTree", "run_to_end"]

PATIENCE_S: Final = 5.0
"""Seconds that a program, and then its supervisor, have to end by themselves."""
SUPERVISED: Final = sys.platform == "linux"
_POLL_S: Final = 0.02
_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")


class ProcessTree:
    """A program with pipes to its standard streams; it starts at once.

    Parameters
    ----------
    command
        The program and its arguments.
    environment
        Its environment variables.
    folder
        Its working directory; None: that of this process.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path | None = None,
    ) -> None:
        self._lifeline: int | None = None
        words, end = list(command), None
        if SUPERVISED:
            end, self._lifeline = os.pipe()
            words = [sys.executable, "-I", "-S", str(_SUPERVISOR), str(end), *words]
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                cwd=folder,
                pass_fds=(end,) if end is not None else (),
                **_detached(),
            )
        except OSError:
            self._let_go()
            raise
        finally:
            if end is not None:
                os.close(end)

    @property
    def pid(self) -> int:
        """The process ID of the program, or of its supervisor."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The standard input of the program."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The standard output of the program."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def stderr(self) -> IO[bytes]:
        """The standard error of the program."""
        assert self._process.stderr is not None
        return self._process.stderr

    @property
    def ended(self) -> bool:
        """Whether the program has ended, even if processes that it started still run."""
        return self._process.poll() is not None

    def memory(self) -> Memory:
        """The memory of the program and of all processes that it started."""
        return memory_of(self.pid, itself=not SUPERVISED)

    def wait(self) -> int | None:
        """The exit code, or a negative signal number; None if it still runs after `PATIENCE_S`."""
        try:
            return self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End the program and all processes that it started at once."""
        family = self._family()
        self._let_go()
        if SUPERVISED:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2 * PATIENCE_S)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if not self.ended:
            self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self.stdin.close()

    def _let_go(self) -> None:
        """Close the lifeline; the supervisor then ends everything."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def _family(self) -> list[psutil.Process]:
        """The descendants, and on POSIX the orphans in the session."""
        found: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(self.pid).children(recursive=True)
        if sys.platform != "win32":
            for other in psutil.process_iter():
                with contextlib.suppress(psutil.Error, OSError):
                    if os.getsid(other.pid) == self.pid and other.pid != self.pid:
                        found.append(other)
        return found


def run_to_end(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None = None,
    limit_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program and collect its output; it ends at once if this process ends, however it ends.

    Parameters
    ----------
    command, environment, folder
        As for `ProcessTree`.
    limit_s
        Seconds after which it is ended; None: no limit.

    Raises
    ------
    OSError
        If it cannot be started.
    subprocess.TimeoutExpired
        If it needs longer than `limit_s`.
    """
    tree = ProcessTree(command, environment, folder)
    start = time.monotonic()
    texts: dict[str, str] = {}

    def collect(name: str, stream: IO[bytes]) -> None:
        with stream:
            texts[name] = stream.read().decode("utf-8", "replace")

    readers = [
        threading.Thread(target=collect, args=each, daemon=True)
        for each in (("stdout", tree.stdout), ("stderr", tree.stderr))
    ]
    try:
        tree.stdin.close()
        for reader in readers:
            reader.start()
        while not tree.ended:
            time.sleep(_POLL_S)
            if limit_s is not None and time.monotonic() - start > limit_s:
                raise subprocess.TimeoutExpired(list(command), limit_s)
    finally:
        tree.end()
    for reader in readers:
        reader.join()
    code = tree.wait()
    return subprocess.CompletedProcess(
        list(command), 1 if code is None else code, texts.get("stdout", ""), texts.get("stderr", "")
    )


def _detached() -> dict[str, Any]:
    """Shield the program from Ctrl-C: the parent handles it and then ends the program."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
