"""Carry out a plan: separate every track with every model, score, store, and go on after faults.

Track by track, so that a track is decoded once and its references are prepared once for all
models; models stay loaded as long as memory allows. With one job everything happens in turn and
timings are clean; with more, scoring overlaps the next separation.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import psutil

from benchbench.errors import BenchbenchError, OutputError
from benchbench.events import Finished, Listener, ScoresReady, Separated, Started
from benchbench.lane import Lane, Scored, ScoreTask
from benchbench.plan import Job
from benchbench.preparation import PreparedTrack
from benchbench.recording import SeparationRecord
from benchbench.scoring import Labels
from benchbench.scratch import scratch_folder
from benchbench.separation import Limits, Separation, Setup, Worker
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
        by_track = [(t, list(own)) for t, own in groupby(jobs, key=lambda job: job.track)]
        logs = self.results.root / "runs" / self.run_id
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(
                    Worker(self.setups[name], self.limits, logs / f"{name.replace(':', '-')}.log")
                )
                for name in dict.fromkeys(job.identity.model for job in jobs)
            }
            pending: deque[_Pending] = deque()
            ahead: Future[PreparedTrack] | None = None
            for number, (track, own) in enumerate(by_track):
                lane = pool[number % len(pool)]
                folder = scratch / f"{self.run_id}-{number}"
                start = time.perf_counter()
                future = ahead or lane.prepare(track, folder)
                prepared = self._prepared(future, own)
                self.tally.preparing_s += time.perf_counter() - start
                ahead = None
                if self.jobs > 1 and number + 1 < len(by_track):
                    following = pool[(number + 1) % len(pool)]
                    ahead = following.prepare(
                        by_track[number + 1][0], scratch / f"{self.run_id}-{number + 1}"
                    )
                if prepared is not None:
                    for job in own:
                        pending += self._separate(job, prepared, workers, lane, folder)
                        self._collect(pending, allow=self.jobs - 1)
                if self.jobs == 1:
                    shutil.rmtree(folder, ignore_errors=True)
                else:
                    pending.append(_Pending(None, None, folder))
            self._collect(pending, allow=0)

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
        self,
        job: Job,
        prepared: PreparedTrack,
        workers: Mapping[str, Worker],
        lane: Lane,
        folder: Path,
    ) -> list[_Pending]:
        model = job.identity.model
        self.listener(Started(model, job.track.name))
        out = folder / job.separation_id
        out.mkdir()
        start = time.perf_counter()
        oracle = self.setups[model].model.manifest.oracle
        outcome = workers[model].separate(
            prepared.mixture, prepared.sample_rate, out, prepared.stems if oracle else None
        )
        self.tally.separating_s += time.perf_counter() - start
        self._store(job, outcome, prepared)
        if outcome.status != "ok":
            shutil.rmtree(out, ignore_errors=True)
            return []
        track = job.track
        labels = Labels(job.separation_id, self.run_id, model, track.dataset, track.name)
        names = tuple(protocol.name for protocol in job.protocols)
        task = ScoreTask(prepared, outcome.stems, labels, names, self.results.root, self.keep_audio)
        return [_Pending(job, lane.score(task), out)]

    def _collect(self, pending: deque[_Pending], allow: int) -> None:
        """Wait for scores until no more than `allow` are outstanding, and clear up after them."""
        while sum(each.future is not None for each in pending) > allow or (
            pending and pending[0].future is None
        ):
            each = pending.popleft()
            if each.job is not None and each.future is not None:
                self._collect_one(each.job, each.future)
            shutil.rmtree(each.folder, ignore_errors=True)

    def _collect_one(self, job: Job, future: Future[Scored]) -> None:
        start = time.perf_counter()
        try:
            scored = future.result()
        except OutputError:
            raise
        except Exception as error:  # whatever a metric did wrong costs this cell only
            self.tally.failed += 1
            message = f"The scores cannot be computed: {type(error).__name__}: {error}"
            self.listener(
                Separated(job.identity.model, job.track.name, "failed", message, None, None)
            )
            return
        self.tally.ok += 1
        self.tally.scoring_s += time.perf_counter() - start if self.jobs == 1 else scored.seconds
        self.listener(ScoresReady(job.identity.model, job.track.name, scored.headline))

    def _store(self, job: Job, outcome: Separation, prepared: PreparedTrack | None) -> None:
        setup = self.setups[job.identity.model]
        record = SeparationRecord(job, setup.model, self.run_id, self.dataset_hash, self.jobs)
        self.results.write_separation(record.row(outcome, prepared))
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


@dataclass(frozen=True, slots=True)
class _Pending:
    """A score that is being computed, and the folder to remove afterwards."""

    job: Job | None
    future: Future[Scored] | None
    folder: Path
