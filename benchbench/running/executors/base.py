"""The interface of executors: they send batches to pipelines and forward the events.

An executor holds no audio and no scores. Batches may end in any order; results are named by
content, so they do not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import psutil

from benchbench.running.batches import Batch
from benchbench.running.events import Event, ScoresReady, Separated, Skipped
from benchbench.running.machine import processors
from benchbench.running.pipeline import Share
from benchbench.running.plan import Job, Plan
from benchbench.running.settings import RunSettings

__all__ = ["MEMORY_SHARE", "Executor", "Remaining", "Stop", "pipelines_that_fit", "shared"]

MEMORY_SHARE = 0.6
"""The share of a machine's memory that loaded models may take together."""


@dataclass
class Stop:
    """A request to end early: current jobs are completed, no other job is started."""

    asked: bool = False

    def ask(self) -> None:
        """Set the request; may be called from a signal handler."""
        self.asked = True


class Executor(Protocol):
    """Executes a plan."""

    def run(self, settings: RunSettings, plan: Plan, stop: Stop) -> Iterator[Event]:
        """Execute a plan; yields events as they occur.

        Raises
        ------
        OutputError
            If results cannot be written; everything stored before is intact.
        """


def shared(pipelines: int, threads: int | None = None, memory_mb: float | None = None) -> Share:
    """An equal share of this machine for each pipeline.

    The numeric threads of all pipelines together do not exceed the processors, unless `threads`
    sets the number per pipeline.
    """
    total = MEMORY_SHARE * (memory_mb or psutil.virtual_memory().total / 1e6)
    return Share(pipelines, threads or max(1, processors() // pipelines), total / pipelines)


def pipelines_that_fit(wanted: int, needs: dict[str, float]) -> int:
    """The number of pipelines that fit on this machine, by the declared memory of the models."""
    memory_mb = MEMORY_SHARE * psutil.virtual_memory().total / 1e6
    largest = max(needs.values(), default=0.0)
    by_memory = int(memory_mb // largest) if largest else wanted
    return max(1, min(wanted, processors(), by_memory))


class Remaining:
    """The pending jobs of a batch, updated from the events of its pipeline.

    Parameters
    ----------
    batch
        The batch.
    """

    def __init__(self, batch: Batch) -> None:
        self.number = batch.number
        self.jobs = list(batch.jobs)

    def note(self, event: Event) -> None:
        """Remove a job once it is stored, failed or skipped."""
        match event:
            case ScoresReady() | Skipped():
                self._done(event.model)
            case Separated() if event.status != "ok":
                self._done(event.model)

    def concerns(self, event: Event) -> bool:
        """Whether an event belongs to a pending job, or to no job."""
        model = getattr(event, "model", None)
        return model is None or any(job.identity.model == model for job in self.jobs)

    def _done(self, model: str) -> None:
        self.jobs = [job for job in self.jobs if job.identity.model != model]

    @property
    def batch(self) -> Batch:
        """The pending jobs as a batch."""
        return Batch(self.number, tuple(self.jobs))


def lost(job: Job, why: str) -> Separated:
    """The event of a job that is recorded as failed because its process died."""
    return Separated(job.identity.model, job.track.name, "failed", why, None, None)
