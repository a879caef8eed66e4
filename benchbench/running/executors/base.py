"""What an executor is: it hands batches to pipelines and passes on what they tell.

An executor holds no audio and knows nothing of scores. The order in which batches end is its own;
results are named by content, so they do not depend on it.
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
    """A request to end early: current separations are finished, no other is begun."""

    asked: bool = False

    def ask(self) -> None:
        """Ask for it; from a signal handler too."""
        self.asked = True


class Executor(Protocol):
    """Carries out a plan."""

    def run(self, settings: RunSettings, plan: Plan, stop: Stop) -> Iterator[Event]:
        """Carry out a plan; yields what happens as it happens.

        Raises
        ------
        OutputError
            When results cannot be written; everything stored before is intact.
        """


def shared(pipelines: int, threads: int | None = None, memory_mb: float | None = None) -> Share:
    """An equal share of this machine for each of some pipelines.

    Numeric threads of all pipelines together never exceed the processors, unless `threads` says
    how many each may have.
    """
    total = MEMORY_SHARE * (memory_mb or psutil.virtual_memory().total / 1e6)
    return Share(pipelines, threads or max(1, processors() // pipelines), total / pipelines)


def pipelines_that_fit(wanted: int, needs: dict[str, float]) -> int:
    """How many pipelines this machine has room for, by what the models declare."""
    room = MEMORY_SHARE * psutil.virtual_memory().total / 1e6
    largest = max(needs.values(), default=0.0)
    by_memory = int(room // largest) if largest else wanted
    return max(1, min(wanted, processors(), by_memory))


class Remaining:
    """What a batch has left, kept up to date from what its pipeline tells.

    Parameters
    ----------
    batch
        The batch.
    """

    def __init__(self, batch: Batch) -> None:
        self.number = batch.number
        self.jobs = list(batch.jobs)

    def note(self, event: Event) -> None:
        """Take a job off once it is stored, failed or found stored."""
        match event:
            case ScoresReady() | Skipped():
                self._done(event.model)
            case Separated() if event.status != "ok":
                self._done(event.model)

    def concerns(self, event: Event) -> bool:
        """Whether an event is of a job that is left, or of none in particular."""
        model = getattr(event, "model", None)
        return model is None or any(job.identity.model == model for job in self.jobs)

    def _done(self, model: str) -> None:
        self.jobs = [job for job in self.jobs if job.identity.model != model]

    @property
    def batch(self) -> Batch:
        """What is left, as a batch."""
        return Batch(self.number, tuple(self.jobs))


def lost(job: Job, why: str) -> Separated:
    """A job that is given up, as its event."""
    return Separated(job.identity.model, job.track.name, "failed", why, None, None)
