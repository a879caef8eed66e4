"""Execute a plan with an executor, and count the outcomes.

The runner is independent of processes, clusters, audio and scores. It forwards the events of the
pipelines and counts the outcomes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from benchbench.running.events import (
    Event,
    Finished,
    Listener,
    Note,
    Prepared,
    ScoresReady,
    Separated,
    Spent,
)
from benchbench.running.executors.base import Executor, Stop
from benchbench.running.plan import Plan
from benchbench.running.settings import RunSettings
from benchbench.running.track_notes import oddity_notes

__all__ = ["Runner", "Tally"]


@dataclass
class Tally:
    """Counts of a run's outcomes, and its time in seconds by stage."""

    ok: int = 0
    failed: int = 0
    separating_s: float = 0.0
    scoring_s: float = 0.0
    preparing_s: float = 0.0
    total_s: float = 0.0


@dataclass
class Runner:
    """Executes plans.

    Parameters
    ----------
    settings
        The settings of the run.
    executor
        Distributes the batches to pipelines.
    stop
        The request to end the run early.
    listener
        Called with each event of the run.
    """

    settings: RunSettings
    executor: Executor
    stop: Stop
    listener: Listener
    tally: Tally = field(default_factory=Tally)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stored: set[tuple[str, str]] = field(default_factory=set)
    """The models and tracks whose scores were stored."""

    def run(self, *plans: Plan) -> Tally:
        """Execute plans one after the other, until all are done or the run is stopped.

        Raises
        ------
        OutputError
            If results cannot be written; everything stored before is intact.
        """
        start = time.perf_counter()
        try:
            for plan in plans:
                self._carry_out(plan)
        finally:
            self.tally.total_s = time.perf_counter() - start
        for note in oddity_notes(self.flags):
            self.listener(Note(note))
        self.listener(Finished(self.tally.ok, self.tally.failed, self.tally.total_s))
        return self.tally

    def _carry_out(self, plan: Plan) -> None:
        if self.stop.asked or not plan.identities:
            return
        events = self.executor.run(self.settings, plan, self.stop)
        try:
            for event in events:
                self._count(event)
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    def _count(self, event: Event) -> None:
        match event:
            case ScoresReady():
                self.tally.ok += 1
                self.stored.add((event.model, event.track))
            case Prepared():
                self.flags[event.track] = event.flags
            case Separated() if event.status != "ok":
                self.tally.failed += 1
            case Spent():
                self.tally.preparing_s += event.preparing_s
                self.tally.separating_s += event.separating_s
                self.tally.scoring_s += event.scoring_s
        self.listener(event)
