"""Carry out a plan with some executor, and keep count.

The runner knows neither processes nor clusters, neither audio nor scores; it passes on what
pipelines tell, and adds up how it went.
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
    """How a run went: counts, and where its seconds were spent."""

    ok: int = 0
    failed: int = 0
    separating_s: float = 0.0
    scoring_s: float = 0.0
    preparing_s: float = 0.0
    total_s: float = 0.0


@dataclass
class Runner:
    """Everything that a run needs to know beside its plan.

    Parameters
    ----------
    order
        What the run wants of every pipeline.
    executor
        Who hands the batches out.
    stop
        Whether the run is to end early.
    listener
        Told what happens.
    """

    settings: RunSettings
    executor: Executor
    stop: Stop
    listener: Listener
    tally: Tally = field(default_factory=Tally)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def run(self, *plans: Plan) -> Tally:
        """Carry out plans one after the other, as far as they are not stopped.

        Raises
        ------
        OutputError
            When results cannot be written; everything stored before is intact.
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
            case Prepared():
                self.flags[event.track] = event.flags
            case Separated() if event.status != "ok":
                self.tally.failed += 1
            case Spent():
                self.tally.preparing_s += event.preparing_s
                self.tally.separating_s += event.separating_s
                self.tally.scoring_s += event.scoring_s
        self.listener(event)
