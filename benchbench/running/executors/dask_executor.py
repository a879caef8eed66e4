"""Pipelines on the workers of a Dask cluster.

The driver submits a limited number of batches at a time, so that its memory does not grow with the
plan, and receives events only. If a worker dies, the scheduler gives its batch to another worker;
stored cells are not computed again, and events are not repeated.
"""

from __future__ import annotations

import contextlib
import queue
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchbench.errors import MissingExtraError, UsageError
from benchbench.running.batches import Batch, batches
from benchbench.running.events import Event, Separated, Spent, unpacked
from benchbench.running.executors.base import Remaining, Stop, lost, pipelines_that_fit, shared
from benchbench.running.executors.dask_clusters import require_kind, started
from benchbench.running.plan import Plan
from benchbench.running.settings import RunSettings

try:
    import distributed
except ImportError as error:
    raise MissingExtraError("distributed", "cluster", "--executor dask") from error

from benchbench.running.executors.dask_worker import (
    TOPIC,
    PipelinePlugin,
    ask_to_stop,
    plugin_name,
    work,
)

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DaskExecutor"]

POLL_S = 0.5
AWAIT_S = 30
AHEAD = 2
"""Submitted batches per pipeline: one running, one waiting."""


@dataclass(frozen=True)
class DaskExecutor:
    """The workers of a cluster, with one pipeline per thread.

    Parameters
    ----------
    scheduler
        The address of a running scheduler.
    cluster
        A cluster to start instead: ``kind``, ``workers``, and the arguments of that kind's class.
    jobs
        Number of workers of a cluster on this machine, if neither is given; limited by processors
        and memory, as that of local processes is.

    Raises
    ------
    UsageError
        If both are given, or the kind is unknown.
    """

    scheduler: str | None = None
    cluster: Mapping[str, Any] | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.scheduler and self.cluster:
            raise UsageError(
                "A scheduler and a cluster are named.",
                hint="--scheduler is for a running one; leave out one of them.",
            )
        require_kind(self._description)

    @property
    def _is_ours(self) -> bool:
        """Whether the workers are children of this process, which receive its Ctrl-C."""
        return not self.scheduler and self._description["kind"] == "local"

    @property
    def _at_once(self) -> int:
        """Number of workers that start without waiting in a queue."""
        if self.scheduler:
            return 1
        match self._description:
            case {"kind": "ssh", "hosts": [_, *workers]}:
                return max(1, len(workers))
            case {"kind": "local", "workers": workers}:
                return int(workers)
        return 1

    @property
    def _description(self) -> dict[str, Any]:
        return {"kind": "local", "workers": self.jobs, **(self.cluster or {})}

    def run(self, settings: RunSettings, plan: Plan, stop: Stop) -> Iterator[Event]:
        """See `benchbench.running.executors.base.Executor`."""
        needs = {
            name: float(setup.model.manifest.runtime.memory_mb)
            for name, setup in settings.setups.items()
        }
        fitting = replace(self, jobs=pipelines_that_fit(self.jobs, needs))
        yield from fitting._run(settings, plan, stop, needs)

    def _run(
        self, settings: RunSettings, plan: Plan, stop: Stop, needs: Mapping[str, float]
    ) -> Iterator[Event]:
        with ExitStack() as stack:
            client = self._client(stack)
            hosts = _threads_by_host(client)
            client.register_plugin(PipelinePlugin(settings, hosts, self._is_ours))
            stack.callback(_unregister, client, settings.run_id)
            room = min(_room_mb(client), default=float("inf"))
            expected = 0 if self.scheduler else int(self._description["workers"])
            todo = batches(plan, needs, room, max(expected, sum(hosts.values())))
            yield from _carry_out(client, settings, todo, stop)

    def _client(self, stack: ExitStack) -> Client:
        """A client of the cluster, which is started first if necessary; the stack closes both."""
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
            cluster = started(self._description)
            stack.callback(cluster.close)
            client = distributed.Client(cluster, set_as_default=False)
            stack.callback(client.close)
        try:
            client.wait_for_workers(1, timeout=600)
        except TimeoutError as error:
            raise UsageError(
                f"No worker joined the scheduler {client.scheduler.address} within ten minutes.",
                hint="Check the workers' logs, or the queue of the cluster.",
            ) from error
        # Workers divide a host's cores by their number, so wait for those that start at once.
        with contextlib.suppress(TimeoutError):
            client.wait_for_workers(self._at_once, timeout=AWAIT_S)
        return client


def _threads_by_host(client: Client) -> dict[str, int]:
    """Host -> number of batches that its workers execute at the same time."""
    hosts: dict[str, int] = {}
    for facts in client.scheduler_info(n_workers=-1)["workers"].values():
        hosts[facts["host"]] = hosts.get(facts["host"], 0) + facts["nthreads"]
    return hosts


def _room_mb(client: Client) -> Iterator[float]:
    """Memory for the loaded models of one pipeline, per worker."""
    for facts in client.scheduler_info(n_workers=-1)["workers"].values():
        if facts["memory_limit"]:
            yield shared(facts["nthreads"], 1, facts["memory_limit"] / 1e6).memory_mb


def _unregister(client: Client, run_id: str) -> None:
    with contextlib.suppress(Exception):  # the cluster may have ended already
        client.unsubscribe_topic(TOPIC)
        client.unregister_worker_plugin(plugin_name(run_id))


class _BatchEvents:
    """The received events of a batch; forwards each event once, although it may arrive twice.

    A job's failure is forwarded with the attempt's last event: if the worker dies before, the
    next attempt tries the job again.

    Parameters
    ----------
    batch
        The batch.
    """

    def __init__(self, batch: Batch) -> None:
        self.remaining = Remaining(batch)
        self._received: Counter[str] = Counter()
        self._failures: dict[str, list[Event]] = {}

    def receive(self, attempt: str, number: int, event: Event) -> Iterator[Event]:
        """Take an event of an attempt, by its number; yields it if it is new.

        If a message was lost, later ones wait for the attempt's complete list. Events of a job that
        an earlier attempt has finished are dropped.
        """
        if number != self._received[attempt]:
            return
        self._received[attempt] += 1
        if isinstance(event, Separated) and event.status != "ok":
            self._failures.setdefault(attempt, []).append(event)
            return
        failures = self._failures.pop(attempt, []) if isinstance(event, Spent) else []
        for one in (*failures, event):
            if self.remaining.concerns(one):
                self.remaining.note(one)
                yield one


def _carry_out(
    client: Client, settings: RunSettings, todo: Iterator[Batch], stop: Stop
) -> Iterator[Event]:
    submitted = _Submitted(client, settings, todo)
    submitted.fill_up()
    asked_to_stop = False
    while submitted.waiting:
        if stop.asked and not asked_to_stop:
            asked_to_stop = True
            client.run(ask_to_stop, settings.run_id, on_error="return")
        message = submitted.receive()
        if isinstance(message, dict):
            yield from submitted.events_of(message)
            continue
        batch_events = None if message is None else submitted.finished(message)
        if not stop.asked:
            submitted.fill_up()
        if message is not None and batch_events is not None:
            yield from _outcome(message, batch_events)
            message.release()


class _Submitted:
    """The submitted batches, and what arrives from them: events and finished futures."""

    def __init__(self, client: Client, settings: RunSettings, todo: Iterator[Batch]) -> None:
        self._client = client
        self._run_id = settings.run_id
        self._todo = todo
        self.waiting: dict[Any, _BatchEvents] = {}
        self._by_number: dict[int, _BatchEvents] = {}
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        client.subscribe_topic(TOPIC, lambda event: self._inbox.put(event[1]))

    def fill_up(self) -> None:
        """Submit batches for every thread, including those of workers that joined late."""
        window = AHEAD * max(1, sum(self._client.nthreads().values()))
        for batch in islice(self._todo, max(0, window - len(self.waiting))):
            future = self._client.submit(
                work, self._run_id, batch, pure=False, priority=-batch.number
            )
            self.waiting[future] = self._by_number[batch.number] = _BatchEvents(batch)
            future.add_done_callback(self._inbox.put)

    def receive(self) -> Any:
        """A worker's message, a finished future, or None after a time without either."""
        try:
            return self._inbox.get(timeout=POLL_S)
        except queue.Empty:
            return None

    def events_of(self, message: dict[str, Any]) -> Iterator[Event]:
        """The events in a worker's message, except those of other runs and finished batches."""
        if message["run"] == self._run_id and message["batch"] in self._by_number:
            batch_events = self._by_number[message["batch"]]
            event = unpacked(message["event"])
            yield from batch_events.receive(message["attempt"], message["number"], event)

    def finished(self, future: Any) -> _BatchEvents:
        """Remove a finished batch from the list.

        Raises
        ------
        UsageError
            If the future was cancelled, which happens only if the scheduler has ended.
        """
        if future.cancelled():
            raise UsageError(
                f"The scheduler {self._client.scheduler.address} is gone or was restarted.",
                hint="Everything that was stored is kept; run the same command again to resume.",
            )
        batch_events = self.waiting.pop(future)
        del self._by_number[batch_events.remaining.number]
        return batch_events


def _outcome(future: Any, batch_events: _BatchEvents) -> Iterator[Event]:
    """The remaining events of a batch; its lost jobs, if it killed its workers."""
    try:
        attempt, events = future.result()
    except distributed.KilledWorker as error:
        for job in batch_events.remaining.jobs:
            yield lost(job, f"Its workers died: {error}")
        yield Spent(0.0, 0.0, 0.0)
        return
    for number, event in enumerate(events):
        yield from batch_events.receive(attempt, number, event)
