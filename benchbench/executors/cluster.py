"""Stations on the workers of a Dask cluster.

The driver keeps a window of batches on their way, so that its memory does not grow with the plan,
and receives events only. A batch whose worker dies is given to another worker by the scheduler;
what was stored of it is not computed again.
"""

from __future__ import annotations

import contextlib
import importlib
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchbench.batches import Batch, batches
from benchbench.environment import keep_freed_memory, processors
from benchbench.errors import BenchbenchError, MissingExtraError, UnknownNameError, UsageError
from benchbench.events import Event, Spent
from benchbench.executors.base import Stop, lost, shared
from benchbench.order import Order
from benchbench.plan import Plan
from benchbench.station import Station

try:
    import distributed
except ImportError as error:
    raise MissingExtraError("distributed", "cluster", "--executor dask") from error

if TYPE_CHECKING:
    from distributed import Client, Worker

__all__ = ["DaskExecutor"]

POLL_S = 0.5
AHEAD = 2
"""Batches on their way for each station: one at work, one that waits."""

KINDS = {
    "local": ("distributed", "LocalCluster"),
    "ssh": ("distributed", "SSHCluster"),
    "slurm": ("dask_jobqueue", "SLURMCluster"),
    "kubernetes": ("dask_kubernetes.operator", "KubeCluster"),
}
"""Kinds of cluster that can be started for a run, and where their class is."""


@dataclass(frozen=True)
class DaskExecutor:
    """The workers of a cluster, each with a station for every thread.

    Parameters
    ----------
    scheduler
        The address of a running scheduler.
    cluster
        A cluster to start instead: ``kind``, ``workers``, and the arguments of that kind's class.
    jobs
        With neither: a cluster of this machine with so many workers.

    Raises
    ------
    UsageError
        When both are given, or the kind is unknown, or a package is missing.
    """

    scheduler: str | None = None
    cluster: Mapping[str, Any] | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.scheduler and self.cluster:
            raise UsageError(
                "A scheduler and a cluster are named.",
                hint="--scheduler is for one that runs already; leave out one of them.",
            )
        kind = self._description["kind"]
        if kind not in KINDS:
            raise UnknownNameError("kind", str(kind), KINDS, where=" of cluster")

    @property
    def _is_ours(self) -> bool:
        """Whether the workers are children of this process, and hear its Ctrl-C."""
        return not self.scheduler and self._description["kind"] == "local"

    @property
    def _description(self) -> dict[str, Any]:
        return {"kind": "local", "workers": self.jobs, **(self.cluster or {})}

    def run(self, order: Order, plan: Plan, stop: Stop) -> Iterator[Event]:
        """See `benchbench.executors.base.Executor`."""
        needs = {
            name: float(setup.model.manifest.runtime.memory_mb)
            for name, setup in order.setups.items()
        }
        with ExitStack() as stack:
            client = self._client(stack)
            hosts = _threads_by_host(client)
            client.register_plugin(_Stations(order, hosts, self._is_ours))
            stack.callback(_unregister, client, order.run_id)
            room = min(_room_mb(client), default=float("inf"))
            todo = batches(plan, needs, room, sum(hosts.values()))
            yield from _carry_out(client, order, todo, stop)

    def _client(self, stack: ExitStack) -> Client:
        """A client of the cluster, which is started first if need be; both end with the stack."""
        if self.scheduler:
            try:
                client = distributed.Client(self.scheduler, timeout=30, set_as_default=False)
            except (OSError, ValueError) as error:
                raise UsageError(
                    f"There is no Dask scheduler at {self.scheduler}: {error}.",
                    hint="Start one with `dask scheduler`, and workers with `dask worker ADDRESS`.",
                ) from error
            stack.callback(client.close)
        else:
            cluster = _started(self._description)
            stack.callback(cluster.close)
            client = distributed.Client(cluster, set_as_default=False)
            stack.callback(client.close)
        try:
            client.wait_for_workers(1, timeout=600)
        except TimeoutError as error:
            raise UsageError(
                f"No worker joined the scheduler {client.scheduler.address} within ten minutes.",
                hint="Look at the workers' logs, or at the queue of the cluster.",
            ) from error
        return client


def _started(description: Mapping[str, Any]) -> Any:
    options = dict(description)
    kind, workers = options.pop("kind"), int(options.pop("workers"))
    module, name = KINDS[kind]
    try:
        make = getattr(importlib.import_module(module), name)
    except ImportError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise MissingExtraError(package, "cluster", f"A cluster of kind {kind}") from error
    if kind == "local":
        settings = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
        return make(n_workers=workers, **{**settings, **options})
    if kind == "ssh":  # its first host carries the scheduler
        return make(**options)
    cluster = make(**options)
    cluster.scale(workers)
    return cluster


def _threads_by_host(client: Client) -> dict[str, int]:
    """Host to the number of batches that its workers carry out at the same time."""
    hosts: dict[str, int] = {}
    for facts in client.scheduler_info(n_workers=-1)["workers"].values():
        hosts[facts["host"]] = hosts.get(facts["host"], 0) + facts["nthreads"]
    return hosts


def _room_mb(client: Client) -> Iterator[float]:
    """Memory for the loaded models of one station, for each worker."""
    for facts in client.scheduler_info(n_workers=-1)["workers"].values():
        if facts["memory_limit"]:
            yield shared(facts["nthreads"], 1, facts["memory_limit"] / 1e6).memory_mb


def _carry_out(client: Client, order: Order, todo: Iterator[Batch], stop: Stop) -> Iterator[Event]:
    window = AHEAD * max(1, sum(client.nthreads().values()))
    waiting: dict[Any, Batch] = {}
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(count: int) -> None:
        for batch in islice(todo, count):
            future = client.submit(_work, order.run_id, batch, pure=False, priority=-batch.number)
            waiting[future] = batch
            future.add_done_callback(done.put)

    submit(window)
    told = False
    while waiting:
        if stop.asked and not told:
            told = True
            client.run(_ask_to_stop, order.run_id)
        with contextlib.suppress(queue.Empty):
            future = done.get(timeout=POLL_S)
            batch = waiting.pop(future)
            if not stop.asked:
                submit(1)
            yield from _outcome(future, batch)
            future.release()


def _outcome(future: Any, batch: Batch) -> Iterator[Event]:
    """What a batch's station told; of a batch that killed its workers, that it is lost."""
    try:
        yield from future.result()
    except BenchbenchError:
        raise
    except (distributed.KilledWorker, CancelledError) as error:
        for job in batch.jobs:
            yield lost(job, f"Its workers died: {error}")
        yield Spent(0.0, 0.0, 0.0)


# -- on the workers -----------------------------------------------------------------------------


def _plugin_name(run_id: str) -> str:
    return f"benchbench-{run_id}"


class _Stations(distributed.WorkerPlugin):  # type: ignore[misc]
    """A worker's stations: one a thread, made when it is first needed, kept to the run's end."""

    def __init__(self, order: Order, hosts: Mapping[str, int], deaf: bool) -> None:
        self.name = _plugin_name(order.run_id)
        self.order = order
        self.hosts = dict(hosts)
        self.deaf = deaf

    def setup(self, worker: Worker) -> None:
        """Called by Dask when a worker begins with the plugin."""
        from threadpoolctl import threadpool_limits

        if self.deaf:  # Ctrl-C is for the driver, which lets them finish what is in hand
            with contextlib.suppress(ValueError):  # only a main thread may say so
                signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.stopped = False
        self._stations: dict[int, Station] = {}
        self._lock = threading.Lock()
        host = worker.address.split("://")[-1].rpartition(":")[0]
        on_host = max(self.hosts.get(host, 0), worker.state.nthreads)
        threads = self.order.threads or max(1, processors() // on_host)
        memory = worker.memory_manager.memory_limit
        own = shared(worker.state.nthreads, threads, memory / 1e6 if memory else None)
        self._share = type(own)(on_host, threads, own.memory_mb)
        threadpool_limits(threads)
        keep_freed_memory()

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask hands it over
        """Called by Dask at the end: separators end, audio goes."""
        with self._lock:
            for station in self._stations.values():
                station.close()
            self._stations.clear()

    def station(self) -> Station:
        """The station of the thread that asks."""
        with self._lock:
            own = threading.get_ident()
            if own not in self._stations:
                self._stations[own] = Station(self.order, self._share)
            return self._stations[own]


def _work(run_id: str, batch: Batch) -> list[Event]:
    """The task that Dask carries out: a batch, in the station of this thread."""
    stations: _Stations = distributed.get_worker().plugins[_plugin_name(run_id)]
    events: list[Event] = []
    stopped: Callable[[], bool] = lambda: stations.stopped  # noqa: E731
    stations.station().carry_out(batch, events.append, stopped)
    return events


def _ask_to_stop(run_id: str, dask_worker: Worker) -> None:
    plugin = dask_worker.plugins.get(_plugin_name(run_id))
    if plugin is not None:
        plugin.stopped = True


def _unregister(client: Client, run_id: str) -> None:
    with contextlib.suppress(Exception):  # the cluster may be gone already
        client.unregister_worker_plugin(_plugin_name(run_id))
