"""Run a separator in a worker process and watch it: time, memory, crash, hang.

Whatever happens to the worker becomes a status; only errors of the caller are raised.
"""

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from benchbench.catalog import Model
from benchbench.errors import SeparatorError
from benchbench.manifest import AnyValue
from benchbench.scratch import RawAudio

__all__ = ["Limits", "Separation", "Setup", "Worker"]

POLL_S = 0.05
LOG_TAIL = 4000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a separation may take before it is ended.

    Parameters
    ----------
    load_s
        Seconds for loading the model.
    seconds_per_second
        Seconds of work allowed for a second of audio, beside `base_s`.
    base_s
        Seconds allowed for any separation, however short.
    memory_bytes
        Resident memory of the worker and its children; None: no limit.
    """

    load_s: float = 600.0
    seconds_per_second: float = 60.0
    base_s: float = 300.0
    memory_bytes: int | None = None

    def separation_s(self, audio_s: float) -> float:
        """The time limit for audio of that length."""
        return self.base_s + self.seconds_per_second * audio_s


@dataclass(frozen=True)
class Setup:
    """All that a worker needs to be told to load a model."""

    model: Model
    python: Path
    weights: Path | None = None
    device: str = "auto"
    options: Mapping[str, AnyValue] = field(default_factory=dict)
    threads: int | None = None

    @property
    def all_options(self) -> dict[str, AnyValue]:
        """Defaults of the manifest, changed by the variant, changed by the user."""
        return {**self.model.manifest.options, **self.model.variant.options, **self.options}


@dataclass(frozen=True, slots=True)
class Separation:
    """How one separation ended; `stems` are there when `status` is ``ok``."""

    status: str
    stems: Mapping[str, RawAudio]
    error: str | None = None
    log_tail: str | None = None
    load_s: float | None = None
    wall_s: float | None = None
    peak_rss: int | None = None
    parameters: int | None = None
    first_in_worker: bool = False


class Worker:
    """A worker process with one model, loaded at the first separation and kept.

    After a crash, a time-out or a memory kill the next separation starts a new process.

    Parameters
    ----------
    setup
        The model and how to load it.
    limits
        Time and memory limits.
    log
        File that receives everything the adapter prints.
    """

    def __init__(self, setup: Setup, limits: Limits, log: Path) -> None:
        self.setup = setup
        self.limits = limits
        self.log = log
        self.load_s: float | None = None
        self.parameters: int | None = None
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._separated = 0
        self._log_start = 0

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def separate(
        self,
        mixture: RawAudio,
        sample_rate: int,
        out: Path,
        references: Mapping[str, RawAudio] | None = None,
    ) -> Separation:
        """Separate one mixture into raw files in the folder `out`.

        Parameters
        ----------
        mixture
            The mixture.
        sample_rate
            In hertz.
        out
            An existing folder.
        references
            The true stems, for a model that declares itself an oracle.
        """
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        try:
            self._ensure_loaded()
            seconds = mixture.samples / sample_rate
            request = {
                "do": "separate",
                "mixture": mixture.describe(),
                "sample_rate": sample_rate,
                "out": str(out),
                "references": {n: r.describe() for n, r in (references or {}).items()},
            }
            answer, sampled = self._ask(request, self.limits.separation_s(seconds))
        except _FailureError as failure:
            return Separation(failure.status, {}, str(failure), self._log_tail(), self.load_s)
        first, self._separated = self._separated == 0, self._separated + 1
        stems = {stem: RawAudio(**audio) for stem, audio in answer["stems"].items()}
        return Separation(
            "ok",
            stems,
            load_s=self.load_s,
            wall_s=answer["wall_s"],
            peak_rss=max(sampled, answer["peak_rss"] or 0) if first else sampled,
            parameters=self.parameters,
            first_in_worker=first,
        )

    def close(self) -> None:
        """End the worker; it ends by itself too when this process dies."""
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

    def _ensure_loaded(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._start()
        model = self.setup.model
        request = {
            "do": "load",
            "folder": str(model.adapter.folder.resolve()),
            "variant": model.variant_name,
            "stems": list(model.variant.stems),
            "oracle": model.manifest.oracle,
            "weights": str(self.setup.weights.resolve()) if self.setup.weights else None,
            "device": self.setup.device,
            "options": self.setup.all_options,
        }
        answer, _ = self._ask(request, self.limits.load_s)
        self.load_s, self.parameters = answer["load_s"], answer["parameters"]
        self._separated = 0

    def _start(self) -> None:
        worker = Path(__file__).with_name("worker.py")
        command = [str(self.setup.python), "-I", "-X", "utf8", str(worker)]
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
                    env=_environment(self.setup.threads),
                    **_detached(),
                )
            except OSError as error:
                raise SeparatorError(
                    f"{self.setup.python} cannot be started: {error.strerror}.",
                    hint=f"Build the environment again: bench install {self.setup.model.manifest.name}",
                ) from error
        self._process = process
        self._answers = queue.SimpleQueue()
        threading.Thread(
            target=_read_lines, args=(process.stdout, self._answers), daemon=True
        ).start()

    def _ask(self, request: Mapping[str, Any], limit_s: float) -> tuple[dict[str, Any], int]:
        """Send a request; return the answer and the largest memory seen meanwhile in bytes."""
        process = self._process
        if process is None or process.stdin is None:
            raise _FailureError("crashed", "the worker is not running")
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        except OSError:
            raise self._crash(process) from None
        deadline, largest = time.monotonic() + limit_s, 0
        while True:
            try:
                line = self._answers.get(timeout=POLL_S)
            except queue.Empty:
                largest = max(largest, _resident(process.pid))
                self._enforce(process, largest, deadline, limit_s)
                continue
            if line is None:
                raise self._crash(process)
            answer: dict[str, Any] = json.loads(line)
            if not answer["ok"]:
                if answer["kind"] == "out_of_memory" or request["do"] == "load":
                    self.close()
                raise _FailureError(answer["kind"], answer["error"])
            return answer, max(largest, _resident(process.pid))

    def _enforce(
        self, process: subprocess.Popen[str], memory: int, deadline: float, limit_s: float
    ) -> None:
        allowed = self.limits.memory_bytes
        if allowed is not None and memory > allowed:
            _kill(process)
            self.close()
            raise _FailureError(
                "out_of_memory",
                f"the worker used {memory / 1e6:.0f} MB; its limit is {allowed / 1e6:.0f} MB",
            )
        if time.monotonic() > deadline:
            _kill(process)
            self.close()
            raise _FailureError("timeout", f"no answer after {limit_s:.0f} s")

    def _crash(self, process: subprocess.Popen[str]) -> _FailureError:
        code = process.wait()
        self.close()
        if code == -9:
            return _FailureError(
                "out_of_memory", "the worker was killed (signal 9), most likely for its memory"
            )
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        return _FailureError("crashed", f"the worker ended with {ended}")

    def _log_tail(self) -> str | None:
        if not self.log.exists():
            return None
        with self.log.open("rb") as file:
            file.seek(max(self._log_start, self.log.stat().st_size - LOG_TAIL))
            return file.read().decode("utf-8", "replace").strip() or None


class _FailureError(Exception):
    """A separation did not succeed; the status says in which way."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


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


def _environment(threads: int | None) -> dict[str, str]:
    """The worker's environment; numeric libraries are kept to a number of threads."""
    environment = dict(os.environ)
    if threads is not None:
        names = ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR")
        environment.update({f"{name}_NUM_THREADS": str(threads) for name in names})
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return environment


def _resident(pid: int) -> int:
    """Resident memory of a process and its children in bytes; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for member in family:
        with contextlib.suppress(psutil.Error):
            total += member.memory_info().rss
    return total


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process that was started here, and its children."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    process.kill()
    process.wait()
