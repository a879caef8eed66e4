"""The code on the workers of a Dask cluster: one pipeline per thread, and its events."""

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
    """The name of a run's plugin on the workers."""
    return f"benchbench-{run_id}"


class PipelinePlugin(distributed.WorkerPlugin):  # type: ignore[misc]
    """A worker's pipelines: one per thread, created at first use, kept until the run ends.

    Parameters
    ----------
    settings
        The settings of the run.
    hosts
        Host -> number of batches that its workers execute at the same time.
    deaf
        Whether the workers ignore Ctrl-C, because the driver handles it.
    """

    def __init__(self, settings: RunSettings, hosts: Mapping[str, int], deaf: bool) -> None:
        self.name = plugin_name(settings.run_id)
        self.settings = settings
        self.hosts = dict(hosts)
        self.deaf = deaf

    def setup(self, worker: Worker) -> None:
        """Called by Dask when a worker loads the plugin."""
        from threadpoolctl import threadpool_limits

        if self.deaf:  # Ctrl-C is for the driver, which lets them finish their current jobs
            with contextlib.suppress(ValueError):  # only a main thread may set signal handlers
                signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.stopped = False
        self._pipelines: dict[int, Pipeline] = {}
        self._lock = threading.Lock()
        host = worker.address.split("://")[-1].rpartition(":")[0]
        on_host = max(self.hosts.get(host, 0), worker.state.nthreads)
        threads = self.settings.threads or max(1, processors() // on_host)
        memory = worker.memory_manager.memory_limit
        own = shared(worker.state.nthreads, threads, memory / 1e6 if memory else None)
        self._share = type(own)(on_host, threads, own.memory_mb)
        threadpool_limits(threads)
        keep_freed_memory()

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask passes it
        """Called by Dask at the end: end separators, remove audio."""
        with self._lock:
            for pipeline in self._pipelines.values():
                pipeline.close()
            self._pipelines.clear()

    def pipeline(self) -> Pipeline:
        """The pipeline of the calling thread."""
        with self._lock:
            own = threading.get_ident()
            if own not in self._pipelines:
                self._pipelines[own] = Pipeline(self.settings, self._share)
            return self._pipelines[own]


def work(run_id: str, batch: Batch) -> tuple[str, list[Event]]:
    """The task that Dask runs: a batch, in the pipeline of this thread.

    Each event is sent twice: at once, in a message that is lost if a connection breaks, and at
    the end, in the task's result.

    Returns
    -------
    This attempt's name, and all its events.
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
    """Let a worker finish its current jobs only; Dask passes the worker."""
    plugin = dask_worker.plugins.get(plugin_name(run_id))
    if plugin is not None:
        plugin.stopped = True
