"""A pipeline: decodes, separates, scores and stores the jobs of a batch.

A process has one pipeline per working thread. A pipeline decodes a track once, separates
it with models that stay loaded, scores the stems against references that are factored once, and
stores each cell at once. Local processes and the workers of a cluster run the same pipeline, so
that a score does not depend on where it was computed.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from benchbench.datasets.preparation import PreparedTrack, prepare
from benchbench.errors import BenchbenchError, OutputError
from benchbench.io.names import file_name
from benchbench.io.processes.scratch import raise_if_unusable, scratch_folder, scratch_full
from benchbench.io.remote import RemoteFolder
from benchbench.results.store import Results
from benchbench.running.batches import Batch
from benchbench.running.events import (
    Listener,
    Note,
    Prepared,
    ScoresReady,
    Separated,
    Skipped,
    Spent,
    Started,
)
from benchbench.running.plan import Job
from benchbench.running.run_record import SeparationRecord
from benchbench.running.settings import RunSettings
from benchbench.scoring.score_rows import Labels, cell_id
from benchbench.scoring.scorer import Scorer, ScoreTask
from benchbench.separation.opening import Separator, open_separator
from benchbench.separation.separator import SeparationResult, WorkerSeparator

__all__ = ["Pipeline", "Share", "log_name"]


@dataclass(frozen=True, slots=True)
class Share:
    """A pipeline's share of the machine's resources.

    Parameters
    ----------
    pipelines
        Number of pipelines that work at the same time, this one included.
    threads
        Threads for numeric libraries, of a separator or of the scoring.
    memory_mb
        Sum of the declared memory of its loaded models, at most, in megabytes.
    gpu
        The accelerator that its separators see; None: all of them.
    """

    pipelines: int
    threads: int
    memory_mb: float
    gpu: str | None = None


class Pipeline:
    """Executes batches; use it as a context manager.

    Parameters
    ----------
    settings
        The settings of the run.
    share
        The resources that it may use.
    scratch
        A folder for raw audio; None: a temporary folder.
    """

    def __init__(self, settings: RunSettings, share: Share, scratch: Path | None = None) -> None:
        self.settings = settings
        self.share = share
        self._stack = ExitStack()
        self._scratch = (
            _emptied(scratch) if scratch else self._stack.enter_context(scratch_folder())
        )
        self._remote = RemoteFolder(settings.results) if settings.is_remote else None
        staged = self._scratch / "staged" if self._remote else Path(settings.results)
        self.results = Results(staged)
        self._scorer = Scorer(self.results, self._publish, share.threads)
        self._workers: dict[str, Separator] = {}

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the separators and remove the remaining audio."""
        self._scorer.forget()
        while self._workers:
            self._end(next(iter(self._workers)))
        self._stack.close()

    def carry_out(self, batch: Batch, tell: Listener, stopped: Callable[[], bool]) -> None:
        """Execute a track's jobs one by one, until all are done or the run is stopped.

        If a separator, a track or a metric fails, only its cells are lost.

        Raises
        ------
        OutputError
            If results or scratch files cannot be written; everything stored before is intact.
        """
        start = time.perf_counter()
        folder = self._scratch / f"track-{batch.number}"
        prepared: PreparedTrack | None = None
        spent = Spent(0.0, 0.0, 0.0)
        self._scorer.expect(len(batch.jobs))
        try:
            for number, job in enumerate(batch.jobs):
                if stopped():
                    break
                left = self._left(job)
                if left is None:
                    tell(Skipped(job.identity.model, job.track.name))
                    continue
                if prepared is None:
                    start = time.perf_counter()
                    prepared = self._prepare(batch.jobs[number:], folder, tell)
                    spent = spent.plus(preparing_s=time.perf_counter() - start)
                if prepared is None:
                    break
                spent = self._do(left, prepared, folder, tell, spent)
        except OSError as error:
            raise_if_unusable(self._scratch, error)
            raise
        finally:
            self._scorer.forget()
            shutil.rmtree(folder, ignore_errors=True)
        tell(spent)

    def _left(self, job: Job) -> Job | None:
        """The job without the cells stored since it was planned; None: nothing is left."""
        if not self.settings.skip_stored:
            return job
        left = tuple(
            protocol
            for protocol in job.protocols
            if not self._is_stored(
                self.results.scores_path(
                    cell_id(job.separation_id, protocol), job.identity.model, job.track.dataset
                )
            )
        )
        return replace(job, protocols=left) if left else None

    def _is_stored(self, path: Path) -> bool:
        if self._remote:
            return self._remote.exists(path.relative_to(self.results.root).as_posix())
        return path.is_file()

    def _prepare(self, jobs: Sequence[Job], folder: Path, tell: Listener) -> PreparedTrack | None:
        """The track, or None if it cannot be read; then every job on it has failed."""
        try:
            track = jobs[0].track
            prepared = prepare(track, folder, allow_truncated=self.settings.allow_truncated)
            tell(Prepared(track.name, prepared.flags))
            return prepared
        except OutputError:
            raise
        except (BenchbenchError, OSError, MemoryError, ValueError) as error:
            raise_if_unusable(self._scratch, error)
            outcome = SeparationResult("failed", {}, f"The track cannot be read: {error}")
            for job in jobs:
                self._store(job, outcome, None, tell)
            return None

    def _do(
        self, job: Job, prepared: PreparedTrack, folder: Path, tell: Listener, spent: Spent
    ) -> Spent:
        """Separate, store the outcome, score, store the scores."""
        model, track = job.identity.model, job.track
        tell(Started(model, track.name))
        out = folder / job.separation_id
        out.mkdir()
        worker = self._worker(model)
        start = time.perf_counter()
        oracle = worker.setup.model.manifest.oracle
        outcome = worker.separate(
            prepared.mixture,
            prepared.sample_rate,
            out,
            prepared.stems if oracle else None,
            track=track,
        )
        spent = spent.plus(separating_s=time.perf_counter() - start)
        if outcome.status == "disk_full":
            raise scratch_full(self._scratch, outcome.error)
        if outcome.status != "ok":
            raise_if_unusable(self._scratch, outcome.error)
        if outcome.status != "ok" and self._left(job) is None:
            tell(Skipped(model, track.name))  # another run has succeeded meanwhile: its row stays
            return spent
        row = self._store(job, outcome, prepared, tell)
        if outcome.status == "ok":
            labels = Labels(
                job.separation_id, self.settings.run_id, model, track.dataset, track.name
            )
            task = ScoreTask(
                prepared, outcome.stems, labels, job.protocols, self.settings.keep_audio
            )
            spent = self._score(task, row, tell, spent)
        shutil.rmtree(out, ignore_errors=True)
        return spent

    def _score(
        self, task: ScoreTask, row: Mapping[str, Any], tell: Listener, spent: Spent
    ) -> Spent:
        model, track = task.labels.model, task.labels.track
        self._require_results()
        try:
            scored = self._scorer.score(task)
        except OutputError:
            raise
        except Exception as error:  # an error of a metric affects this separation only
            raise_if_unusable(self._scratch, error)
            message = f"The scores cannot be computed: {type(error).__name__}: {error}"
            tell(Separated(model, track, "failed", message, None, None))
            return spent
        tell(ScoresReady(model, track, scored.headline, scored.metric))
        if scored.warning:
            self._publish(self.results.write_separation({**row, "error": scored.warning}))
            tell(Note(f"{model} on {track}: {scored.warning}"))
        return spent.plus(scoring_s=scored.seconds)

    def _store(
        self, job: Job, outcome: SeparationResult, prepared: PreparedTrack | None, tell: Listener
    ) -> dict[str, Any]:
        """Store the outcome of a separation and send the event; returns the stored row."""
        self._require_results()
        setup = self.settings.setups[job.identity.model]
        record = SeparationRecord(
            job, setup.model, self.settings.run_id, self.settings.dataset_hash, self.share.pipelines
        )
        row = record.row(outcome, prepared)
        self._publish(self.results.write_separation(row))
        tell(
            Separated(
                job.identity.model,
                job.track.name,
                outcome.status,
                outcome.error,
                outcome.wall_s,
                prepared.seconds if prepared else None,
                str(self._log(job.identity.model)) if prepared else None,
            )
        )
        return row

    def _require_results(self) -> None:
        """Refuse to begin a new results folder where the run's folder was moved or removed.

        Raises
        ------
        OutputError
        """
        folder = self.results.run_folder(self.settings.run_id)
        if self._remote is None and not (folder / "run.json").is_file():
            raise OutputError(
                f"The results folder {self.results.root} was moved or removed during the run: "
                f"{folder.name}/run.json is not in its runs/ any more.",
                hint="Put it back and run the same command again, which computes what is missing.",
            )

    def _publish(self, path: Path) -> None:
        """Upload a stored file, if the results are remote."""
        if self._remote:
            self._remote.put(path, path.relative_to(self.results.root).as_posix())
            path.unlink()

    def _worker(self, model: str) -> Separator:
        """The loaded separator; the least recently used ones are ended to free memory."""
        if model in self._workers:
            self._workers[model] = self._workers.pop(model)  # the most recently used is last
            return self._workers[model]
        need = self._need(model)
        while self._workers and need + sum(map(self._need, self._workers)) > self.share.memory_mb:
            self._end(next(iter(self._workers)))
        setup = replace(self.settings.setups[model], threads=self.share.threads, gpu=self.share.gpu)
        self._workers[model] = open_separator(
            setup,
            self.settings.limits,
            self._log(model),
            self.results,
            allow_truncated=self.settings.allow_truncated,
        )
        return self._workers[model]

    def _log(self, model: str) -> Path:
        """The file that receives everything that the model's adapter prints."""
        return self.results.root / "runs" / self.settings.run_id / f"{log_name(model)}.log"

    def _need(self, model: str) -> float:
        return self.settings.setups[model].model.manifest.runtime.memory_mb

    def _end(self, model: str) -> None:
        worker = self._workers.pop(model)
        worker.close()
        if self._remote and isinstance(worker, WorkerSeparator) and worker.process.log.is_file():
            log = worker.process.log
            name = f"{log.stem}-{self._scratch.name}.log"
            self._remote.put(log, f"runs/{self.settings.run_id}/{name}")


def log_name(model: str) -> str:
    """The name of a model's log file, without its suffix."""
    return file_name(model.replace(":", "-"), keep=".=,[]+")


def _emptied(folder: Path) -> Path:
    """The folder, emptied of files that a crashed pipeline may have left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
