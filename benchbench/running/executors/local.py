"""Pipelines in processes of this machine.

Each process has a connection to the driver: batches go one way, events come back. A process that
dies uses up one attempt of its current job. If the driver dies for any reason, its processes end
too.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType

from benchbench.errors import BenchbenchError
from benchbench.io.processes.scratch import scratch_folder
from benchbench.io.processes.working_directory import without_working_directory
from benchbench.running.batches import Batch, batches
from benchbench.running.events import Event, Spent
from benchbench.running.executors.base import Remaining, Stop, lost, pipelines_that_fit, shared
from benchbench.running.machine import keep_freed_memory, visible_gpus
from benchbench.running.pipeline import Pipeline, Share
from benchbench.running.plan import Plan
from benchbench.running.settings import RunSettings

__all__ = ["LocalExecutor"]

POLL_S = 0.2
ATTEMPTS = 2
"""Number of attempts for a job whose pipeline dies."""


@dataclass(frozen=True)
class LocalExecutor:
    """Pipelines on this machine.

    Parameters
    ----------
    jobs
        Number of batches that run at the same time, limited by processors and memory. With 1,
        nothing else runs while a model separates, and timings are undisturbed.
    """

    jobs: int = 1

    def run(self, settings: RunSettings, plan: Plan, stop: Stop) -> Iterator[Event]:
        """See `benchbench.running.executors.base.Executor`."""
        needs = {
            name: float(setup.model.manifest.runtime.memory_mb)
            for name, setup in settings.setups.items()
        }
        pipelines = pipelines_that_fit(self.jobs, needs)
        share = shared(pipelines, settings.threads)
        todo = batches(plan, needs, share.memory_mb, pipelines)
        with ExitStack() as stack:
            scratch = stack.enter_context(scratch_folder())
            pool = [
                _Process(settings, share, scratch / f"pipeline-{number}")
                for number, share in enumerate(_with_gpus(share))
            ]
            for process in pool:
                stack.callback(process.close)
            yield from _carry_out(pool, todo, stop)


def _with_gpus(share: Share) -> Iterator[Share]:
    """A share for each pipeline; several accelerators are assigned in turn."""
    gpus = visible_gpus() if share.pipelines > 1 else ()
    for number in range(share.pipelines):
        yield replace(share, gpu=gpus[number % len(gpus)]) if gpus else share


def _carry_out(pool: list[_Process], todo: Iterator[Batch], stop: Stop) -> Iterator[Event]:
    """Assign batches to free processes; reassign those of a process that died."""
    queue = _BatchQueue(todo)
    asked_to_stop = False
    while True:
        if not stop.asked:
            _supply(pool, queue)
        busy = {process.connection: process for process in pool if not process.idle}
        if not busy:
            return
        if stop.asked and not asked_to_stop:
            asked_to_stop = True
            for process in busy.values():
                process.stop()
        for connection in wait(list(busy), POLL_S):
            process = busy[connection]  # type: ignore[index]
            event = process.receive()
            if event is None:
                yield from queue.put_back(process.restart().batch)
            else:
                yield event


def _supply(pool: list[_Process], queue: _BatchQueue) -> None:
    for process in pool:
        if process.idle and (batch := queue.next()) is not None:
            process.give(batch)


class _BatchQueue:
    """The waiting batches: first those of dead processes, then new ones."""

    def __init__(self, todo: Iterator[Batch]) -> None:
        self._todo = todo
        self._left: list[Batch] = []
        self._attempts: Counter[str] = Counter()

    def next(self) -> Batch | None:
        """The next batch; None if there is none."""
        return self._left.pop() if self._left else next(self._todo, None)

    def put_back(self, left: Batch) -> Iterator[Event]:
        """Queue the jobs of a process that died; yields its first job as lost after `ATTEMPTS`."""
        if left.jobs:
            first = left.jobs[0]
            self._attempts[first.separation_id] += 1
            if self._attempts[first.separation_id] == ATTEMPTS:
                yield lost(first, f"The process that worked on it died {ATTEMPTS} times.")
                left = Batch(left.number, left.jobs[1:])
        if left.jobs:
            self._left.append(left)


class _Process:
    """A pipeline in a separate process, as seen by the driver."""

    def __init__(self, settings: RunSettings, share: Share, scratch: Path) -> None:
        self._arguments = (settings, share, scratch)
        self._remaining: Remaining | None = None
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, *self._arguments), daemon=False
        )
        with _plain_main(), without_working_directory():
            self._process.start()
        theirs.close()

    @property
    def idle(self) -> bool:
        """Whether it has no batch."""
        return self._remaining is None

    def give(self, batch: Batch) -> None:
        """Send it a batch; if the process has died, `receive` notices."""
        self._remaining = Remaining(batch)
        with contextlib.suppress(OSError):
            self.connection.send(batch)

    def stop(self) -> None:
        """Let it finish its current job only."""
        with contextlib.suppress(OSError):
            self.connection.send(None)

    def receive(self) -> Event | None:
        """The next event; None if the process has died.

        Raises
        ------
        BenchbenchError, RuntimeError
            The error that ended the pipeline.
        """
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            return None
        if isinstance(message, Exception):
            raise message
        event: Event = message
        if self._remaining is not None:
            self._remaining.note(event)
        if isinstance(event, Spent):
            self._remaining = None
        return event

    def restart(self) -> Remaining:
        """Restart the process; returns its unfinished jobs."""
        assert self._remaining is not None
        left, self._remaining = self._remaining, None
        self.close()
        self._start()
        return left

    def close(self) -> None:
        """End the process: at once if it has a batch, otherwise after it has closed its separators."""
        self.connection.close()
        if self._remaining is not None:
            self._process.kill()
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(connection: Connection, settings: RunSettings, share: Share, scratch: Path) -> None:
    """The main function of the process: receives batches, sends events, until the driver disconnects."""
    _begin(share.threads)
    with Pipeline(settings, share, scratch) as pipeline, contextlib.suppress(EOFError, OSError):
        while True:
            batch = connection.recv()
            if batch is None:  # asked to stop after the batch had ended
                continue
            try:
                pipeline.carry_out(batch, connection.send, connection.poll)
            except BenchbenchError as error:
                connection.send(error)
                return
            except BrokenPipeError:
                return
            except Exception as error:
                import traceback

                traceback.print_exc()
                connection.send(RuntimeError(f"A pipeline failed: {type(error).__name__}: {error}"))
                return


def _begin(threads: int) -> None:
    """Set up the process: threads, memory, ignore Ctrl-C, end together with the driver."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def _plain_main() -> Iterator[None]:
    """Hide the user's script from processes that start meanwhile.

    A spawned process runs the parent's main module again, which in a script without
    ``if __name__ == "__main__"`` would start the benchmark again. A pipeline does not need it.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
