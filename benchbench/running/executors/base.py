"""The interface of an executor: it hands batches to pipelines and forwards their events.

An executor holds no audio and knows nothing of scores. Batches may end in any order; results are
named by content, so they do not depend on it.
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
"""The share of a machine's memory that all loaded models may use together."""


@dataclass
class Stop:
    """A request to end early: current separations are finished, no other is started."""

    asked: bool = False

    def ask(self) -> None:
        """Request the end; may be called from a signal handler."""
        self.asked = True


class Executor(Protocol):
    """Executes a plan."""

    def run(self, settings: RunSettings, plan: Plan, stop: Stop) -> Iterator[Event]:
        """Execute a plan; yields events as they happen.

        Raises
        ------
        OutputError
            If results cannot be written; everything stored before is intact.
        """


def shared(pipelines: int, threads: int | None = None, memory_mb: float | None = None) -> Share:
    """Equal shares of this machine for several pipelines.

    Numeric threads of all pipelines together never exceed the processors, unless `threads` says
    how many each may have.
    """
    total = MEMORY_SHARE * (memory_mb or psutil.virtual_memory().total / 1e6)
    return Share(pipelines, threads or max(1, processors() // pipelines), total / pipelines)


def pipelines_that_fit(wanted: int, needs: dict[str, float]) -> int:
    """Number of pipelines that fit in memory, by what the models declare."""
    room = MEMORY_SHARE * psutil.virtual_memory().total / 1e6
    largest = max(needs.values(), default=0.0)
    by_memory = int(room // largest) if largest else wanted
    return max(1, min(wanted, processors(), by_memory))


class Remaining:
    """The remaining jobs of a batch, updated from its pipeline's events.

    Parameters
    ----------
    batch
        The batch.
    """

    def __init__(self, batch: Batch) -> None:
        self.number = batch.number
        self.jobs = list(batch.jobs)

    def note(self, event: Event) -> None:
        """Remove a job once it is stored, has failed, or was stored already."""
        match event:
            case ScoresReady() | Skipped():
                self._done(event.model)
            case Separated() if event.status != "ok":
                self._done(event.model)

    def concerns(self, event: Event) -> bool:
        """Whether an event belongs to a remaining job, or to no job."""
        model = getattr(event, "model", None)
        return model is None or any(job.identity.model == model for job in self.jobs)

    def _done(self, model: str) -> None:
        self.jobs = [job for job in self.jobs if job.identity.model != model]

    @property
    def batch(self) -> Batch:
        """The remaining jobs, as a batch."""
        return Batch(self.number, tuple(self.jobs))


def lost(job: Job, why: str) -> Separated:
    """The event of a job that is given up."""
    return Separated(job.identity.model, job.track.name, "failed", why, None, None)
