"""Carry out a plan: separate every track with every model, score, store, and go on after faults.

Track by track, so that a track is decoded once and its references are prepared once for all
models; models stay loaded as long as memory allows. With one job everything happens in turn and
timings are clean; with more, scoring overlaps the next separation.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import psutil

from benchbench.errors import BenchbenchError, OutputError
from benchbench.events import Finished, Listener, Note, ScoresReady, Separated, Started
from benchbench.lane import Lane, Scored, ScoreTask
from benchbench.plan import Job
from benchbench.precomputed import Separator, open_separator
from benchbench.preparation import PreparedTrack
from benchbench.recording import SeparationRecord
from benchbench.scoring import Labels
from benchbench.scratch import scratch_folder
from benchbench.separation import Limits, Separation, Setup
from benchbench.store import Results

__all__ = ["Runner", "Tally"]

MEMORY_SHARE = 0.6
"""The share of the machine's memory that loaded models may take together."""


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
    """Everything that a run needs to know beside its jobs.

    Parameters
    ----------
    results, run_id
        Where results go, and under which name.
    dataset_hash
        What the data set's tracks hash to.
    setups
        Model name to how it is loaded.
    limits
        Time and memory limits of the workers.
    jobs
        1: everything in turn; n: so many less one lanes score while models separate.
    threads
        Threads for numeric libraries in all processes together.
    keep_audio
        Whether stems are kept for listening.
    listener
        Told what happens.
    """

    results: Results
    run_id: str
    dataset_hash: str
    setups: Mapping[str, Setup]
    limits: Limits
    jobs: int
    threads: int
    keep_audio: bool
    listener: Listener
    tally: Tally = field(default_factory=Tally)

    def run(self, jobs: Sequence[Job]) -> Tally:
        """Carry out all jobs.

        Raises
        ------
        OutputError
            When results cannot be written; everything stored before is intact.
        """
        start = time.perf_counter()
        lanes = max(1, self.jobs - 1)
        with ExitStack() as stack:
            scratch = stack.enter_context(scratch_folder())
            pool = [Lane(max(1, self.threads // lanes)) for _ in range(lanes)]
            for lane in pool:
                stack.callback(lane.close)
            for group in self._groups(jobs):
                self._run_group(group, pool, scratch)
        self.tally.total_s = time.perf_counter() - start
        self.listener(Finished(self.tally.ok, self.tally.failed, self.tally.total_s))
        return self.tally

    def _groups(self, jobs: Sequence[Job]) -> Iterator[list[Job]]:
        """Jobs in groups whose models fit in memory together, track by track inside a group."""
        allowed = MEMORY_SHARE * psutil.virtual_memory().total / 1e6
        models = list(dict.fromkeys(job.identity.model for job in jobs))
        group: set[str] = set()
        taken = 0.0
        for model in models:
            needed = self.setups[model].model.manifest.runtime.memory_mb
            if group and taken + needed > allowed:
                yield [job for job in jobs if job.identity.model in group]
                group, taken = set(), 0.0
            group.add(model)
            taken += needed
        if group:
            yield [job for job in jobs if job.identity.model in group]

    def _run_group(self, jobs: Sequence[Job], pool: Sequence[Lane], scratch: Path) -> None:
        logs = self.results.root / "runs" / self.run_id
        models = dict.fromkeys(job.identity.model for job in jobs)
        allowed = self.jobs - 1  # scores that may be outstanding while a model separates
        pending: deque[Callable[[], None]] = deque()
        with ExitStack() as stack:
            workers: dict[str, Separator] = {}
            for name in models:
                log = logs / f"{name.replace(':', '-')}.log"
                workers[name] = open_separator(self.setups[name], self.limits, log)
                stack.callback(workers[name].close)
            for item in self._tracks(jobs, pool, scratch):
                for job in item.jobs if item.prepared else ():
                    finish = self._separate(job, item, workers[job.identity.model])
                    pending += [finish] if finish else []
                    _settle(pending, allowed)
                pending.append(partial(shutil.rmtree, item.folder, ignore_errors=True))
                _settle(pending, allowed)
            _settle(pending, 0)

    def _tracks(
        self, jobs: Sequence[Job], pool: Sequence[Lane], scratch: Path
    ) -> Iterator[_TrackInHand]:
        """Each track with its jobs, decoded; with more than one job, the next one meanwhile."""
        by_track = [list(own) for _, own in groupby(jobs, key=lambda job: job.track)]

        def begin(number: int) -> Future[PreparedTrack]:
            folder = scratch / f"{self.run_id}-{number}"
            return pool[number % len(pool)].prepare(by_track[number][0].track, folder)

        ahead: Future[PreparedTrack] | None = None
        for number, own in enumerate(by_track):
            start = time.perf_counter()
            prepared = self._prepared(ahead or begin(number), own)
            self.tally.preparing_s += time.perf_counter() - start
            ahead = begin(number + 1) if self.jobs > 1 and number + 1 < len(by_track) else None
            folder = scratch / f"{self.run_id}-{number}"
            yield _TrackInHand(own, prepared, pool[number % len(pool)], folder)

    def _prepared(self, future: Future[PreparedTrack], jobs: Sequence[Job]) -> PreparedTrack | None:
        """The track, or None when it cannot be read; then every job on it has failed."""
        try:
            return future.result()
        except OutputError:
            raise
        except (BenchbenchError, BrokenProcessPool, OSError, MemoryError) as error:
            outcome = Separation("failed", {}, f"The track cannot be read: {error}")
            for job in jobs:
                self._store(job, outcome, None)
            return None

    def _separate(
        self, job: Job, item: _TrackInHand, worker: Separator
    ) -> Callable[[], None] | None:
        """Separate, store how it went, and begin to score; returns what waits for the scores."""
        model, track, prepared = job.identity.model, job.track, item.prepared
        assert prepared is not None
        self.listener(Started(model, track.name))
        out = item.folder / job.separation_id
        out.mkdir()
        start = time.perf_counter()
        oracle = worker.setup.model.manifest.oracle
        outcome = worker.separate(
            prepared.mixture,
            prepared.sample_rate,
            out,
            prepared.stems if oracle else None,
            track=track.name,
        )
        self.tally.separating_s += time.perf_counter() - start
        row = self._store(job, outcome, prepared)
        if outcome.status != "ok":
            shutil.rmtree(out, ignore_errors=True)
            return None
        labels = Labels(job.separation_id, self.run_id, model, track.dataset, track.name)
        names = tuple(protocol.name for protocol in job.protocols)
        task = ScoreTask(prepared, outcome.stems, labels, names, self.results.root, self.keep_audio)
        return partial(self._finish, job, item.lane.score(task), out, row)

    def _finish(self, job: Job, future: Future[Scored], out: Path, row: Mapping[str, Any]) -> None:
        """Wait for a separation's scores, tell of them, and remove the stems."""
        start = time.perf_counter()
        model, track = job.identity.model, job.track.name
        try:
            scored = future.result()
        except OutputError:
            raise
        except Exception as error:  # whatever a metric did wrong costs this separation only
            self.tally.failed += 1
            message = f"The scores cannot be computed: {type(error).__name__}: {error}"
            self.listener(Separated(model, track, "failed", message, None, None))
        else:
            self.tally.ok += 1
            waited = time.perf_counter() - start
            self.tally.scoring_s += waited if self.jobs == 1 else scored.seconds
            self.listener(ScoresReady(model, track, scored.headline))
            if scored.warning:
                self.results.write_separation({**row, "error": scored.warning})
                self.listener(Note(f"{model} on {track}: {scored.warning}"))
        shutil.rmtree(out, ignore_errors=True)

    def _store(
        self, job: Job, outcome: Separation, prepared: PreparedTrack | None
    ) -> dict[str, Any]:
        """Store how a separation went and tell of it; the stored row."""
        setup = self.setups[job.identity.model]
        record = SeparationRecord(job, setup.model, self.run_id, self.dataset_hash, self.jobs)
        row = record.row(outcome, prepared)
        self.results.write_separation(row)
        if outcome.status != "ok":
            self.tally.failed += 1
        self.listener(
            Separated(
                job.identity.model,
                job.track.name,
                outcome.status,
                outcome.error,
                outcome.wall_s,
                prepared.seconds if prepared else None,
            )
        )
        return row


@dataclass(frozen=True, slots=True)
class _TrackInHand:
    """A track's jobs, its audio (None: unreadable), the lane that has it, and its folder."""

    jobs: Sequence[Job]
    prepared: PreparedTrack | None
    lane: Lane
    folder: Path


def _settle(pending: deque[Callable[[], None]], allowed: int) -> None:
    """Carry out what is pending, oldest first, until no more than `allowed` is left."""
    while len(pending) > allowed:
        pending.popleft()()
