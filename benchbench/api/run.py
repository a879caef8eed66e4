"""The main job: models x tracks -> stems -> scores in Parquet -> report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from benchbench.api.notebook_progress import default_listener
from benchbench.api.results import Results, RunResult
from benchbench.api.tracking import require_tracker, track_run
from benchbench.datasets.dataset import Dataset, open_dataset
from benchbench.errors import NothingToCompareError, StoppedError, UsageError
from benchbench.io.remote import RemoteFolder, is_url, local_folder
from benchbench.metrics import resolve
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.plugins.model_names import listed
from benchbench.running.events import Listener, Note, Planned, Stage
from benchbench.running.executors import Executor, LocalExecutor, Stop
from benchbench.running.live import measure_live_models, unmeasured
from benchbench.running.machine import processors
from benchbench.running.members import require_members
from benchbench.running.plan import Plan, Resume, plan, resume_mode
from benchbench.running.run_record import new_run_id, now, run_facts
from benchbench.running.runner import Runner, Tally
from benchbench.running.settings import RunSettings
from benchbench.separation.model_setup import identity, prepare_models, with_options
from benchbench.separation.separator import Limits

__all__ = ["RunResult", "run"]

KeepStems = Literal["auto", "yes", "no"]
ExecutorName = Literal["local", "dask"]


def run(
    models: str | Sequence[str],
    dataset: str = "demo",
    *,
    metrics: str | Sequence[str] = "report",
    out: Path | str = "results",
    root: Path | None = None,
    split: str | None = None,
    tracks: str | Sequence[str] | None = None,
    limit: int | None = None,
    jobs: int = 1,
    resume: Resume = "only-missing",
    retry_failed: bool = False,
    weights: Path | None = None,
    device: str = "auto",
    options: Mapping[str, AnyValue] | None = None,
    adapter_paths: Sequence[Path] = (),
    keep_stems: KeepStems = "auto",
    limits: Limits | None = None,
    report: bool = True,
    listener: Listener | None = None,
    command: Sequence[str] | None = None,
    threads: int | None = None,
    executor: ExecutorName = "local",
    scheduler: str | None = None,
    cluster: Mapping[str, Any] | None = None,
    stop: Stop | None = None,
    track: str | None = None,
) -> RunResult:
    """Separate a data set with some models, score the stems, store and report.

    Parameters
    ----------
    models
        ``adapter`` or ``adapter:variant``; several as a sequence, or joined by commas.
    dataset
        The data set's name.
    metrics
        Names of protocols or of groups of them, as a sequence or joined by commas; ``report`` is
        all that the page draws.
    out
        The results' folder; earlier results in it are kept and not computed again. An address
        such as ``s3://bucket/results`` works too.
    root
        The data set's folder, where it is not installed.
    split, tracks, limit
        Which tracks: a split or ``all``; some by name; the first so many.
    jobs
        How many tracks are worked on at the same time, as far as processors and memory go; 1:
        everything in turn, for clean timings.
    resume
        ``only-missing``: compute what is not stored; ``always``: compute everything again;
        ``only-cache``: compute nothing, and raise if anything is missing.
    retry_failed
        Try separations again that failed in an earlier run.
    weights
        A folder with weights of your own, for a single model.
    device
        ``auto``, ``cpu`` or ``gpu``; handed to the adapters.
    options
        Adapter options, for every model that has an option of that name.
    adapter_paths
        Folders that are searched for adapters first.
    keep_stems
        ``auto``: keep stems for listening when the licence allows excerpts.
    limits
        Time and memory limits of separations.
    report
        Whether to write ``report.html`` into the results' folder.
    listener
        Called with every `benchbench.running.events.Event`; None: a progress bar in a notebook,
        nothing elsewhere.
    command
        The command line, to be recorded.
    threads
        Numeric threads of each process; None: the processors are shared equally.
    executor
        ``local``: processes of this machine; ``dask``: the workers of a cluster.
    scheduler
        The address of a running Dask scheduler.
    cluster
        A cluster to be started for the run: ``kind`` (``local``, ``ssh``, ``slurm`` or
        ``kubernetes``), ``workers``, and what that kind of cluster is told.
    stop
        Asked to stop, the run finishes what is in hand and raises `StoppedError`.
    track
        Log the run to a tracker: ``mlflow``, ``tensorboard`` or ``wandb``, or ``tracker=place``
        with a folder or an address.

    Returns
    -------
    RunResult
        The scores, and how the run went. A separator's fault is a row, not an exception.

    Raises
    ------
    benchbench.errors.BenchbenchError
        When the request cannot be carried out; what was stored before is intact.
    """
    listener = listener or default_listener()
    if track:
        require_tracker(track)
    models, tracks = listed(models), None if tracks is None else listed(tracks)
    chosen_executor = _executor(executor, jobs, scheduler, cluster)
    catalog = Catalog(tuple(Path(path) for path in adapter_paths))
    chosen = with_options(catalog.models(models), options or {})
    protocols = resolve(metrics)
    _require_sane(chosen, jobs, weights)
    data_set = open_dataset(
        catalog.dataset(dataset),
        root,
        split=split,
        names=tracks,
        limit=limit,
        tell=lambda text: listener(Note(text)),
    )
    setups = prepare_models(
        chosen, weights, device, {}, processors(), lambda text: listener(Note(text))
    )
    results, run_id, stop = Results(local_folder(out)), new_run_id(), stop or Stop()
    planned = plan(
        results,
        [identity(setup) for setup in setups.values()],
        data_set.tracks,
        protocols,
        resume=resume_mode(resume),
        retry_failed=retry_failed,
    )
    by_model, present = planned.counts()
    left = sum(by_model.values())
    if resume == "only-cache":
        _require_nothing_left(planned, left)
    keeps_audio = _keeps_audio(keep_stems, data_set)
    ensembles = {name for name, setup in setups.items() if setup.members}
    require_members(planned, setups, results, keeps_audio=keeps_audio, local=not is_url(out))
    listener(Planned(left, present, tuple(setups), len(data_set.tracks), by_model))
    tally = Tally()
    local = executor == "local" and not is_url(out) and resume != "only-cache"
    live = unmeasured(results, setups, again=resume == "always") if local else ()
    if left or live:
        listener(Note(data_set.manifest.licence.notice))
        settings = RunSettings(
            str(out) if is_url(out) else str(results.root.absolute()),
            run_id,
            data_set.version_hash,
            setups,
            limits or Limits(),
            keeps_audio,
            skip_stored=resume != "always",
            threads=threads,
        )
        facts = run_facts(
            run_id,
            data_set,
            setups,
            protocols,
            command=command or sys.argv,
            jobs=jobs,
            options={"split": split, "tracks": list(tracks or ()), "limit": limit, "device": device,
                     "metrics": [protocol.name for protocol in protocols], "resume": resume, "executor": executor,
                     "threads": threads},
        )  # fmt: skip
        runner = Runner(settings, chosen_executor, stop, listener)
        tally = runner.tally
        _write_run(results, out, run_id, facts)
        try:
            runner.run(planned.only(setups.keys() - ensembles), planned.only(ensembles))
            if live and not stop.asked:
                measure_live_models(
                    results, run_id, live, data_set.tracks[0], settings.limits, listener
                )
        finally:
            _write_run(results, out, run_id, _finished(facts, tally))
        if stop.asked:
            _say_how_to_resume(left, tally, command)
        results = Results(local_folder(out))
    if report:
        listener(Stage("Writing the report"))
    page = _page(results, tuple(setups), data_set.manifest.name) if report else None
    if page and is_url(out):
        RemoteFolder(str(out)).put(page, page.name)
    result = RunResult(results, run_id, tally, present, page, tuple(setups), *planned.asked_for())
    if track and (left or live):
        listener(Stage(f"Logging to {track}"))
        track_run(result, track)
    return result


def _page(results: Results, models: Sequence[str], dataset: str) -> Path | None:
    """The report on the whole folder, this run's models marked; None where it holds no scores."""
    from benchbench.api.report import report as write_report
    from benchbench.reporting.data.loading import stored_models

    if not set(models) & set(stored_models([results.root])):
        return None
    return write_report(
        [results.root], results.root / "report.html", dataset=dataset, marked=models
    )


def _require_sane(models: Sequence[Model], jobs: int, weights: Path | None) -> None:
    if not models:
        raise UsageError("No model is named.", hint="`bench list models` shows what there is.")
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: at least one is needed.")
    with_weights = [model.name for model in models if model.variant.weights]
    if weights is not None and len(with_weights) != 1:
        raise UsageError(
            f"--weights is for one model with weights; named are {', '.join(with_weights) or 'none'}.",
            hint="Run the models one by one into the same --out.",
        )


def _executor(
    name: ExecutorName, jobs: int, scheduler: str | None, cluster: Mapping[str, Any] | None
) -> Executor:
    if name == "local":
        if scheduler or cluster:
            raise UsageError(
                "A scheduler or a cluster is named, but the executor is local.",
                hint="Add --executor dask.",
            )
        return LocalExecutor(jobs)
    from benchbench.running.executors.dask_executor import DaskExecutor

    return DaskExecutor(scheduler, dict(cluster) if cluster else None, jobs)


def _write_run(results: Results, out: Path | str, run_id: str, facts: Mapping[str, Any]) -> None:
    path = results.write_run(run_id, facts)
    if is_url(out):
        RemoteFolder(str(out)).put(path, path.relative_to(results.root).as_posix())


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


def _keeps_audio(keep: KeepStems, data_set: Dataset) -> bool:
    if keep == "auto":
        return data_set.manifest.licence.audio_excerpts
    return keep == "yes"


def _finished(facts: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
    seconds = {name: value for name, value in asdict(tally).items() if name.endswith("_s")}
    counts = {"ok": tally.ok, "failed": tally.failed}
    return {**facts, "finished": now(), "counts": counts, "seconds": seconds}
