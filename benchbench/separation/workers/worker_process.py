"""A worker process: start it, send requests, monitor it, end it; independent of separation."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from benchbench.errors import SeparatorError
from benchbench.separation.python_discovery import isolated_variables
from benchbench.separation.workers.process_memory import Memory
from benchbench.separation.workers.process_tree import ProcessTree
from benchbench.separation.workers.worker_answers import (
    LONGEST_ANSWER,
    Answer,
    Failure,
    message,
    read_answer,
)
from benchbench.separation.workers.worker_log import WorkerLog

__all__ = ["WorkerFailureError", "WorkerProcess"]

PROGRAM: Final = Path(__file__).with_name("worker.py")
POLL_S: Final = 0.05
_WAITING: Final = 16
"""Maximum number of unread lines; a worker that writes more has to wait."""


class WorkerFailureError(Exception):
    """A request has failed; the status gives the kind of failure."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class WorkerProcess:
    """A process that runs ``worker.py`` in an interpreter.

    Parameters
    ----------
    python
        The interpreter.
    log
        File that receives everything the worker prints.
    threads
        Threads for its numeric libraries; None: their default.
    memory_bytes
        Limit of held memory of it and its children, without mapped files; None: no limit.
    programs
        The first folder on its PATH; None: the interpreter's folder.
    gpu
        The accelerator that it sees; None: all of them.
    program
        The file that answers the requests.
    """

    def __init__(
        self,
        python: Path,
        log: Path,
        threads: int | None,
        memory_bytes: int | None,
        programs: Path | None = None,
        gpu: str | None = None,
        program: Path = PROGRAM,
    ) -> None:
        self.python = python
        self.programs = programs or python.parent
        self.log = log
        self._log = WorkerLog(log)
        self.threads = threads
        self.memory_bytes = memory_bytes
        self.gpu = gpu
        self.program = program
        self._process: ProcessTree | None = None
        self._answers: queue.Queue[bytes | None] = queue.Queue(_WAITING)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and not self._process.ended

    @property
    def pid(self) -> int | None:
        """The process ID of the worker, or of its supervisor, while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def mark_log(self) -> None:
        """Set the start of `log_tail` to the current position."""
        self._log.mark()

    def log_tail(self) -> str | None:
        """The last characters that the worker printed since `mark_log`."""
        return self._log.tail()

    def start(self) -> None:
        """Start the process.

        Raises
        ------
        SeparatorError
            If the interpreter cannot be started.
        """
        command = [str(self.python), "-I", "-X", "utf8", str(self.program)]
        try:
            if not os.access(self.python, os.X_OK):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            process = ProcessTree(command, _environment(self.threads, self.programs, self.gpu))
        except OSError as error:
            raise SeparatorError(
                f"{self.python} cannot be started: {error.strerror}.",
                hint="Build the adapter's environment again with bench install.",
            ) from error
        self._process = process
        self._answers = queue.Queue(_WAITING)
        self._log.follow(process.stderr)
        threading.Thread(
            target=_read_lines, args=(process.stdout, self._answers), daemon=True
        ).start()

    def ask(self, request: Mapping[str, Any], limit_s: float) -> tuple[Answer, Memory]:
        """Send a request; return the answer and the peak memory meanwhile.

        Raises
        ------
        WorkerFailureError
            If there is no answer, or the answer is a failure.
        """
        process = self._process
        if process is None:
            raise WorkerFailureError("crashed", "the worker is not running")
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise self._crash(process) from None
        line, largest = self._await(process, limit_s)
        try:
            answer = read_answer(line, request["do"])
        except ValueError as error:
            self._end()
            raise WorkerFailureError(
                "invalid_output", message(f"the worker's answer cannot be read: {error}")
            ) from error
        if isinstance(answer, Failure):
            if answer.kind == "out_of_memory" or request["do"] == "load":
                self.close()
            raise WorkerFailureError(answer.kind, message(answer.error))
        return answer, largest

    def _await(self, process: ProcessTree, limit_s: float) -> tuple[bytes, Memory]:
        """The next line of the worker; does not wait for other processes that hold its pipe open."""
        deadline, largest = time.monotonic() + limit_s, Memory()
        while True:
            ended = process.ended
            try:
                line = self._answers.get(timeout=POLL_S)
            except queue.Empty:
                if ended:
                    raise self._crash(process) from None
                largest = largest.largest(process.memory())
                self._enforce(largest, deadline, limit_s)
                continue
            if line is None:
                raise self._crash(process)
            return line, largest.largest(process.memory())

    def _enforce(self, memory: Memory, deadline: float, limit_s: float) -> None:
        allowed = self.memory_bytes
        if allowed is not None and memory.held > allowed:
            self._end()
            raise WorkerFailureError(
                "out_of_memory",
                f"the worker held {memory.held / 1e6:.0f} MB; its limit is {allowed / 1e6:.0f} MB",
            )
        if time.monotonic() > deadline:
            self._end()
            raise WorkerFailureError("timeout", f"no answer after {limit_s:.0f} s")

    def _crash(self, process: ProcessTree) -> WorkerFailureError:
        code = process.wait()
        self._end()
        if code is None:
            return WorkerFailureError("crashed", "the worker closed its pipe but is still running")
        if code == -9:
            return WorkerFailureError(
                "out_of_memory", "the worker was killed (signal 9), most likely for its memory"
            )
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        return WorkerFailureError("crashed", f"the worker ended with {ended}")

    def close(self) -> None:
        """End the process and all that it started; they also end if this process dies."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
            self._end()

    def _end(self) -> None:
        """End the process at once, and all that it started."""
        process, self._process = self._process, None
        if process is not None:
            process.end()
            self._log.finish()


def _read_lines(stream: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    """Queue the lines of a stream, each of limited length; a writer that is too fast has to wait."""
    with contextlib.suppress(ValueError, OSError), stream:
        while line := stream.readline(LONGEST_ANSWER):
            lines.put(line)
    lines.put(None)


def _environment(threads: int | None, programs: Path, gpu: str | None) -> dict[str, str]:
    """The worker's environment, which limits threads of numeric libraries and accelerators."""
    environment = isolated_variables()
    environment["PATH"] = os.pathsep.join([str(programs), environment.get("PATH", os.defpath)])
    if threads is not None:
        names = ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR")
        environment.update({f"{name}_NUM_THREADS": str(threads) for name in names})
        environment.update(TF_NUM_INTRAOP_THREADS=str(threads), TF_NUM_INTEROP_THREADS="1")
    if gpu is not None:
        environment["CUDA_VISIBLE_DEVICES"] = gpu
    environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # other processes may use it too
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return environment
