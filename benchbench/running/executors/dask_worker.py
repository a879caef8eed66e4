"""What runs on the workers of a Dask cluster: a pipeline for each thread, and what it tells."""

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
"""Where the pipelines of all runs tell; the scheduler keeps a limited number of messages of it."""


def plugin_name(run_id: str) -> str:
    """The name under which the workers know a run's pipelines."""
    return f"benchbench-{run_id}"


class PipelinePlugin(distributed.WorkerPlugin):  # type: ignore[misc]
    """A worker's pipelines: one a thread, made when it is first needed, kept to the run's end.

    Parameters
    ----------
    settings
        What the run wants of every pipeline.
    hosts
        Host to the number of batches that its workers carry out at the same time.
    deaf
        Whether Ctrl-C is to be left to the driver.
    """

    def __init__(self, settings: RunSettings, hosts: Mapping[str, int], deaf: bool) -> None:
        self.name = plugin_name(settings.run_id)
        self.settings = settings
        self.hosts = dict(hosts)
        self.deaf = deaf

    def setup(self, worker: Worker) -> None:
        """Called by Dask when a worker begins with the plugin."""
        from threadpoolctl import threadpool_limits

        if self.deaf:  # Ctrl-C is for the driver, which lets them finish their current jobs
            with contextlib.suppress(ValueError):  # only a main thread may say so
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

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask hands it over
        """Called by Dask at the end: separators end, audio goes."""
        with self._lock:
            for pipeline in self._pipelines.values():
                pipeline.close()
            self._pipelines.clear()

    def pipeline(self) -> Pipeline:
        """The pipeline of the thread that asks."""
        with self._lock:
            own = threading.get_ident()
            if own not in self._pipelines:
                self._pipelines[own] = Pipeline(self.settings, self._share)
            return self._pipelines[own]


def work(run_id: str, batch: Batch) -> tuple[str, list[Event]]:
    """The task that Dask carries out: a batch, in the pipeline of this thread.

    Everything is told twice: at once, in a message that is lost where a connection breaks, and in
    the end, as the task's result.

    Returns
    -------
    This attempt's name, and all that it told.
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
    """Let a worker finish its current jobs and no more; Dask hands the worker over."""
    plugin = dask_worker.plugins.get(plugin_name(run_id))
    if plugin is not None:
        plugin.stopped = True
