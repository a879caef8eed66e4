"""A worker process: started, asked, watched, ended. Nothing here knows what a separation is."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import psutil

from benchbench.errors import SeparatorError
from benchbench.separation.process_memory import Memory, memory_of
from benchbench.separation.python_discovery import isolated_variables

__all__ = ["WorkerFailureError", "WorkerProcess"]

POLL_S = 0.05
LOG_TAIL = 4000


class WorkerFailureError(Exception):
    """A request did not succeed; the status says in which way."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class WorkerProcess:
    """``worker.py`` in some interpreter, from the first request to its end.

    Parameters
    ----------
    python
        The interpreter.
    log
        File that receives everything the worker prints.
    threads
        Threads for its numeric libraries; None: their own choice.
    memory_bytes
        Memory that it and its children may hold, pages of mapped files not counted; None: no
        limit.
    programs
        The folder that stands first on its PATH; None: that of the interpreter.
    gpu
        The accelerator that it sees; None: all of them.
    """

    def __init__(
        self,
        python: Path,
        log: Path,
        threads: int | None,
        memory_bytes: int | None,
        programs: Path | None = None,
        gpu: str | None = None,
    ) -> None:
        self.python = python
        self.programs = programs or python.parent
        self.log = log
        self.threads = threads
        self.memory_bytes = memory_bytes
        self.gpu = gpu
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._log_start = 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's number while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def mark_log(self) -> None:
        """Let `log_tail` begin here."""
        self._log_start = self.log.stat().st_size if self.log.exists() else 0

    def log_tail(self) -> str | None:
        """The last of what the worker printed since `mark_log`."""
        if not self.log.exists():
            return None
        with self.log.open("rb") as file:
            file.seek(max(self._log_start, self.log.stat().st_size - LOG_TAIL))
            return file.read().decode("utf-8", "replace").strip() or None

    def start(self) -> None:
        """Start the process.

        Raises
        ------
        SeparatorError
            When the interpreter cannot be started.
        """
        worker = Path(__file__).with_name("worker.py")
        command = [str(self.python), "-I", "-X", "utf8", str(worker)]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    env=_environment(self.threads, self.programs, self.gpu),
                    **_detached(),
                )
            except OSError as error:
                raise SeparatorError(
                    f"{self.python} cannot be started: {error.strerror}.",
                    hint="Build the adapter's environment again with bench install.",
                ) from error
        self._process = process
        self._answers = queue.SimpleQueue()
        threading.Thread(
            target=_read_lines, args=(process.stdout, self._answers), daemon=True
        ).start()

    def ask(self, request: Mapping[str, Any], limit_s: float) -> tuple[dict[str, Any], Memory]:
        """Send a request; return the answer and the largest memory seen meanwhile."""
        process = self._process
        if process is None or process.stdin is None:
            raise WorkerFailureError("crashed", "the worker is not running")
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        except OSError:
            raise self._crash(process) from None
        deadline, largest = time.monotonic() + limit_s, Memory()
        while True:
            try:
                line = self._answers.get(timeout=POLL_S)
            except queue.Empty:
                largest = largest.largest(memory_of(process.pid))
                self._enforce(process, largest, deadline, limit_s)
                continue
            if line is None:
                raise self._crash(process)
            answer: dict[str, Any] = json.loads(line)
            if not answer["ok"]:
                if answer["kind"] == "out_of_memory" or request["do"] == "load":
                    self.close()
                raise WorkerFailureError(answer["kind"], answer["error"])
            return answer, largest.largest(memory_of(process.pid))

    def _enforce(
        self, process: subprocess.Popen[str], memory: Memory, deadline: float, limit_s: float
    ) -> None:
        allowed = self.memory_bytes
        if allowed is not None and memory.held > allowed:
            _kill(process)
            self.close()
            raise WorkerFailureError(
                "out_of_memory",
                f"the worker held {memory.held / 1e6:.0f} MB; its limit is {allowed / 1e6:.0f} MB",
            )
        if time.monotonic() > deadline:
            _kill(process)
            self.close()
            raise WorkerFailureError("timeout", f"no answer after {limit_s:.0f} s")

    def _crash(self, process: subprocess.Popen[str]) -> WorkerFailureError:
        code = process.wait()
        self.close()
        if code == -9:
            return WorkerFailureError(
                "out_of_memory", "the worker was killed (signal 9), most likely for its memory"
            )
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        return WorkerFailureError("crashed", f"the worker ended with {ended}")

    def close(self) -> None:
        """End the process; it ends by itself too when this one dies."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            _kill(process)
        if process.stdout:
            process.stdout.close()


def _read_lines(stream: IO[str] | None, lines: queue.SimpleQueue[str | None]) -> None:
    if stream is not None:
        with contextlib.suppress(ValueError, OSError):  # closed while reading
            for line in stream:
                lines.put(line)
    lines.put(None)


def _detached() -> dict[str, Any]:
    """Keep Ctrl-C from the worker: it is for the parent, which then ends the worker."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _environment(threads: int | None, programs: Path, gpu: str | None) -> dict[str, str]:
    """The worker's environment; numeric libraries are kept to threads and to an accelerator."""
    environment = isolated_variables()
    environment["PATH"] = os.pathsep.join([str(programs), environment.get("PATH", os.defpath)])
    if threads is not None:
        names = ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR")
        environment.update({f"{name}_NUM_THREADS": str(threads) for name in names})
        environment.update(TF_NUM_INTRAOP_THREADS=str(threads), TF_NUM_INTEROP_THREADS="1")
    if gpu is not None:
        environment["CUDA_VISIBLE_DEVICES"] = gpu
    environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # others may use it too
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return environment


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process that was started here, and its children."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    process.kill()
    process.wait()
