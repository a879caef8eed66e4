"""The process that a metric runs in: one per process of the engine, started when needed.

When a metric crashes, hangs or returns an invalid result, only that value is missing; the next one
starts a new process. After several time-outs in a row the metric is not called again.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchbench.errors import BenchbenchError
from benchbench.io.audio.conversion import convert
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.io.processes.scratch import scratch_folder
from benchbench.plugins.metric_catalog import MetricPlugin
from benchbench.separation.workers.worker_answers import MeasuredValues
from benchbench.separation.workers.worker_process import WorkerFailureError, WorkerProcess

__all__ = ["MetricSetup", "measured", "take_faults"]

LOAD_S: Final = 600.0
MOST_TIMEOUTS: Final = 3
PROGRAM: Final = Path(__file__).with_name("metric_worker.py")
REASONS: Final = {
    "crashed": "metric_crashed",
    "out_of_memory": "metric_crashed",
    "timeout": "metric_timeout",
    "invalid_output": "metric_invalid",
}

_lock = threading.Lock()
_processes: dict[str, _MetricProcess] = {}
_faults: list[str] = []


@dataclass(frozen=True)
class MetricSetup:
    """The data needed to start a metric.

    Parameters
    ----------
    plugin
        The metric's folder and manifest.
    python
        The path of the interpreter.
    weights
        The folder with the metric's weights.
    options
        The metric's options, including the user's.
    content_hash
        Hash of all of these.
    """

    plugin: MetricPlugin
    python: Path
    weights: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Values by metric, or the reason why there are none."""

    values: Mapping[str, float | None]
    reason: str | None = None


def measured(
    setup: MetricSetup, reference: np.ndarray[Any, Any] | None, estimate: np.ndarray[Any, Any],
    sample_rate: int,
) -> Measured:  # fmt: skip
    """Measure one excerpt in the metric's process.

    Parameters
    ----------
    reference, estimate
        Audio of shape (channels, samples); no reference for a metric that needs none.
    sample_rate
        In hertz.
    """
    with _lock:
        process = _processes.setdefault(setup.content_hash, _MetricProcess(setup))
        return process.measure(reference, estimate, sample_rate)


def take_faults() -> list[str]:
    """The failures since the last call, one sentence each, for the run's notes."""
    with _lock:
        found, _faults[:] = list(dict.fromkeys(_faults)), []
    return found


class _MetricProcess:
    def __init__(self, setup: MetricSetup) -> None:
        self._setup = setup
        self._scratch = ExitStack()
        self._folder = self._scratch.enter_context(scratch_folder())
        self._process = WorkerProcess(
            setup.python, self._folder / "log.txt", 1, None, program=PROGRAM
        )
        self._timeouts = 0
        atexit.register(self.close)

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.close()
        self._scratch.close()

    def measure(
        self, reference: np.ndarray[Any, Any] | None, estimate: np.ndarray[Any, Any], rate: int
    ) -> Measured:
        manifest = self._setup.plugin.manifest
        if self._timeouts >= MOST_TIMEOUTS:
            return Measured({}, "metric_timeout")
        self._process.mark_log()
        to_rate = manifest.audio.sample_rate or rate
        try:
            self._ensure_loaded()
            request = {
                "do": "measure",
                "reference": None if reference is None else self._file("r", reference, rate),
                "estimate": self._file("e", estimate, rate),
                "sample_rate": to_rate,
            }
            answer, _ = self._process.ask(request, manifest.timeout_s)
        except WorkerFailureError as failure:
            self._timeouts = self._timeouts + 1 if failure.status == "timeout" else 0
            return self._fault(REASONS.get(failure.status, "metric_failed"), str(failure))
        except BenchbenchError as error:
            return self._fault("metric_failed", error.message)
        self._timeouts = 0
        assert isinstance(answer, MeasuredValues)
        values = answer.values
        missing = any(value is None for value in values.values())
        return Measured(values, "metric_undefined" if missing else None)

    def _fault(self, reason: str, message: str) -> Measured:
        name = self._setup.plugin.manifest.name
        last = (self._process.log_tail() or "").splitlines()[-1:]
        _faults.append(f"metric {name}: {' '.join([message, *last])}")
        return Measured({}, reason)

    def _file(self, name: str, audio: np.ndarray[Any, Any], rate: int) -> dict[str, Any]:
        manifest = self._setup.plugin.manifest.audio
        raw = write_raw(self._folder / f"{name}.f32", [audio])
        channels = manifest.channels or audio.shape[0]
        path = self._folder / f"{name}-converted.f32"
        done: RawAudio = convert(raw, path, rate, manifest.sample_rate or rate, channels)
        return done.describe()

    def _ensure_loaded(self) -> None:
        if self._process.alive:
            return
        self._process.close()
        self._process.start()
        setup = self._setup
        request = {
            "do": "load",
            "module": str((setup.plugin.folder / setup.plugin.manifest.module).resolve()),
            "function": setup.plugin.manifest.function,
            "metrics": list(setup.plugin.manifest.metrics),
            "weights": str(setup.weights.resolve()) if setup.weights else None,
            "options": dict(setup.options),
        }
        self._process.ask(request, LOAD_S)
