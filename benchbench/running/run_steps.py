"""The steps of a run: prepare models, plan the work, execute it and record it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from benchbench.errors import NothingToCompareError, OutputError, StoppedError
from benchbench.io.remote import RemoteFolder, local_folder
from benchbench.results.store import Results
from benchbench.running.events import Listener, Note, Planned, callbacks
from benchbench.running.executors import Executor, Stop
from benchbench.running.live import measure_live_models, unmeasured
from benchbench.running.machine import processors
from benchbench.running.members import require_members
from benchbench.running.plan import Plan, plan
from benchbench.running.request import Comparison, Separating, Storing
from benchbench.running.run_record import new_run_id, now, run_facts
from benchbench.running.runner import Runner, Tally
from benchbench.running.separator_agreement import store_agreement
from benchbench.running.settings import RunSettings
from benchbench.running.track_notes import pairing_notes
from benchbench.scoring.score_rows import cell_id
from benchbench.separation.model_setup import identity, prepare_models

__all__ = ["Run"]


class Run:
    """One run, step by step: `prepare`, then `carry_out` if there is work.

    Parameters
    ----------
    comparison, separating, storing
        The request.
    listener
        Called with each event.
    stop
        The request to end early; the current separations are finished.
    """

    def __init__(
        self,
        comparison: Comparison,
        separating: Separating,
        storing: Storing,
        listener: Listener,
        stop: Stop,
    ) -> None:
        self.comparison = comparison
        self.separating = separating
        self.storing = storing
        self.listener = listener
        self.stop = stop
        self.run_id = new_run_id()
        self.results = Results(local_folder(storing.out))
        self.tally = Tally()

    def prepare(self) -> None:
        """Prepare the models, and determine what is left to compute.

        Raises
        ------
        NothingToCompareError
            With ``only-cache``, if something is not stored.
        """
        comparison, storing = self.comparison, self.storing
        self.setups = prepare_models(
            comparison.models,
            self.separating.weights,
            self.separating.device,
            {},
            processors(),
            *callbacks(self.listener),
        )
        self.planned = plan(
            self.results,
            [identity(setup) for setup in self.setups.values()],
            comparison.data_set.tracks,
            comparison.protocols,
            resume=storing.resume,
            retry_failed=storing.retry_failed,
        )
        by_model, self.present = self.planned.counts()
        self.left = sum(by_model.values())
        if storing.resume == "only-cache":
            _require_nothing_left(self.planned, self.left)
        self.keeps_audio = storing.keeps_audio(comparison.data_set)
        self.ensembles = {name for name, setup in self.setups.items() if setup.members}
        require_members(
            self.planned,
            self.setups,
            self.results,
            keeps_audio=self.keeps_audio,
            local=not storing.is_remote,
        )
        tracks = len(comparison.data_set.tracks)
        self.listener(Planned(self.left, self.present, tuple(self.setups), tracks, by_model))

    def has_work(self, *, local: bool) -> bool:
        """Whether anything is left: separations, or live models without a measurement."""
        again = self.storing.resume == "always"
        here = local and not self.storing.is_remote and self.storing.resume != "only-cache"
        self.live = unmeasured(self.results, self.setups, again=again) if here else ()
        return bool(self.left or self.live)

    def carry_out(self, executor: Executor, jobs: int, command: Sequence[str] | None) -> None:
        """Separate and score, and record the outcome even after an error.

        Raises
        ------
        StoppedError
            If the run was asked to stop; the current separations were finished.
        OutputError
            If results cannot be written, or were moved or removed during the run.
        """
        data_set = self.comparison.data_set
        self.listener(Note(data_set.manifest.licence.notice))
        models = {name: setup.model.variant.stems for name, setup in self.setups.items()}
        notes = pairing_notes(data_set.tracks, models)
        for note in notes:
            self.listener(Note(note))
        facts = run_facts(
            self.run_id,
            data_set,
            self.setups,
            self.comparison.protocols,
            command=command or sys.argv,
            jobs=jobs,
            options=self.storing.facts | {"notes": notes},
        )
        runner = Runner(self._settings(), executor, self.stop, self.listener)
        self.tally = runner.tally
        self._record(facts)
        try:
            runner.run(
                self.planned.only(self.setups.keys() - self.ensembles),
                self.planned.only(self.ensembles),
            )
            if self.keeps_audio and not data_set.has_references and not self.storing.is_remote:
                store_agreement(self.results, self.run_id, data_set, self.setups)
            if self.live and not self.stop.asked:
                measure_live_models(
                    self.results,
                    self.run_id,
                    self.live,
                    data_set.tracks[0],
                    self.separating.limits,
                    self.listener,
                )
            self._require_stored(runner.stored)
        except OutputError as error:
            self._require_stored(runner.stored, error)
            raise
        finally:
            if self.storing.is_remote or self._record_path.is_file():
                self._record(_finished(facts, self.tally))
        if self.stop.asked:
            _say_how_to_resume(self.left, self.tally, command)
        self.results = Results(local_folder(self.storing.out))

    def _settings(self) -> RunSettings:
        out = self.storing.out
        return RunSettings(
            str(out) if self.storing.is_remote else str(self.results.root.absolute()),
            self.run_id,
            self.comparison.data_set.version_hash,
            self.setups,
            self.separating.limits,
            self.keeps_audio,
            skip_stored=self.storing.resume != "always",
            threads=self.separating.threads,
            allow_truncated=self.comparison.allow_truncated,
        )

    @property
    def _record_path(self) -> Path:
        return self.results.run_folder(self.run_id) / "run.json"

    def _require_stored(
        self, stored: Collection[tuple[str, str]], cause: OutputError | None = None
    ) -> None:
        """Raise an error that names separations which the run has stored and which are missing."""
        if self.storing.is_remote:
            return
        names = {track.dataset for track in self.comparison.data_set.tracks}
        cells = frozenset[str]().union(
            *(self.results.stored_cells(model, name) for model in self.setups for name in names)
        )
        missing = [
            f"{job.identity.model} on {job.track.name}"
            for job in self.planned.every_job()
            if (job.identity.model, job.track.name) in stored
            and any(cell_id(job.separation_id, each) not in cells for each in job.protocols)
        ]
        if missing:
            raise OutputError(
                f"{len(missing)} of the {len(stored)} separations that this run has stored are "
                f"missing from {self.results.root}: {', '.join(missing[:5])}"
                f"{', ...' if len(missing) > 5 else ''}.",
                hint="Their files were moved or removed during the run. Put them back, or run the "
                "same command again, which computes what is missing.",
            ) from cause

    def _record(self, facts: Mapping[str, Any]) -> None:
        path = self.results.write_run(self.run_id, facts)
        if self.storing.is_remote:
            name = path.relative_to(self.results.root).as_posix()
            RemoteFolder(str(self.storing.out)).put(path, name)


def _say_how_to_resume(left: int, tally: Tally, command: Sequence[str] | None) -> None:
    done = tally.ok + tally.failed
    again = f": {shlex.join(command)}" if command else "."
    raise StoppedError(
        f"Stopped after {done} of {left} separations. Everything that was stored is kept.",
        hint=f"Run the same command again to resume{again}",
    )


def _require_nothing_left(planned: Plan, left: int) -> None:
    if left:
        some = islice(planned.every_job(), 5)
        names = ", ".join(f"{job.identity.model} on {job.track.name}" for job in some)
        raise NothingToCompareError(
            f"{left} separations are not stored: {names}{', ...' if left > 5 else ''}.",
            hint="--resume only-missing computes them.",
        )


def _finished(facts: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
    seconds = {name: value for name, value in asdict(tally).items() if name.endswith("_s")}
    counts = {"ok": tally.ok, "failed": tally.failed}
    return {**facts, "finished": now(), "counts": counts, "seconds": seconds}
