"""The code that runs on the workers of a Dask cluster: one pipeline per thread, and its events."""

from __future__ import annotations

import contextlib
import secrets
import signal
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import distributed

from benchbench.running.batches import Batch
from benchbench.running.events import Event, packed
from benchbench.running.executors.base import shared
from benchbench.running.machine import keep_freed_memory, processors
from benchbench.running.pipeline import Pipeline
from benchbench.running.settings import RunSettings

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["TOPIC", "PipelinePlugin", "ask_to_stop", "plugin_name", "work"]

TOPIC = "benchbench"
"""Topic for the events of all runs; the scheduler keeps a limited number of its messages."""


def plugin_name(run_id: str) -> str:
    """The name of the worker plugin that holds the pipelines of a run."""
    return f"benchbench-{run_id}"


class PipelinePlugin(distributed.WorkerPlugin):  # type: ignore[misc]
    """The pipelines of a worker: one per thread, created at first use, kept until the run ends.

    Parameters
    ----------
    settings
        The settings of the run.
    hosts
        Host -> number of batches that its workers run at the same time.
    ignores_interrupt
        Whether the worker ignores Ctrl-C, because the driver handles it.
    """

    def __init__(
        self, settings: RunSettings, hosts: Mapping[str, int], ignores_interrupt: bool
    ) -> None:
        self.name = plugin_name(settings.run_id)
        self.settings = settings
        self.hosts = dict(hosts)
        self.ignores_interrupt = ignores_interrupt

    def setup(self, worker: Worker) -> None:
        """Called by Dask when a worker receives the plugin."""
        from threadpoolctl import threadpool_limits

        if self.ignores_interrupt:  # the driver handles Ctrl-C
            with contextlib.suppress(ValueError):  # only a main thread may set a handler
                signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.stopped = False
        self._pipelines: dict[int, Pipeline] = {}
        self._lock = threading.Lock()
        host = worker.address.split("://")[-1].rpartition(":")[0]
        on_host = max(self.hosts.get(host, 0), worker.state.nthreads)
        threads = self.settings.threads or max(1, processors() // on_host)
        memory = worker.memory_manager.memory_limit
        share = shared(worker.state.nthreads, threads, memory / 1e6 if memory else None)
        self._share = type(share)(on_host, threads, share.memory_mb)
        threadpool_limits(threads)
        keep_freed_memory()

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask passes it
        """Called by Dask at the end: ends the separators and removes the audio."""
        with self._lock:
            for pipeline in self._pipelines.values():
                pipeline.close()
            self._pipelines.clear()

    def pipeline(self) -> Pipeline:
        """The pipeline of the calling thread."""
        with self._lock:
            thread = threading.get_ident()
            if thread not in self._pipelines:
                self._pipelines[thread] = Pipeline(self.settings, self._share)
            return self._pipelines[thread]


def work(run_id: str, batch: Batch) -> tuple[str, list[Event]]:
    """The Dask task: run a batch in the pipeline of this thread.

    Each event is sent twice: immediately, in a message that may be lost if a connection breaks, and
    at the end, in the result of the task.

    Returns
    -------
    The name of this attempt, and all its events.
    """
    worker = distributed.get_worker()
    pipelines: PipelinePlugin = worker.plugins[plugin_name(run_id)]
    attempt = secrets.token_hex(8)
    events: list[Event] = []

    def tell(event: Event) -> None:
        message = {"run": run_id, "batch": batch.number, "attempt": attempt, "number": len(events)}
        events.append(event)
        worker.log_event(TOPIC, {**message, "event": packed(event)})

    stopped: Callable[[], bool] = lambda: pipelines.stopped  # noqa: E731
    pipelines.pipeline().carry_out(batch, tell, stopped)
    return attempt, events


def ask_to_stop(run_id: str, dask_worker: Worker) -> None:
    """Let a worker complete its current jobs and start no more; Dask passes `dask_worker`."""
    plugin = dask_worker.plugins.get(plugin_name(run_id))
    if plugin is not None:
        plugin.stopped = True
