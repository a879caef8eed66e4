"""The main function: models x tracks -> stems -> scores in Parquet -> report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from benchbench.api.observers.notebook_progress import default_listener
from benchbench.api.observers.tracking import require_tracker, track_run
from benchbench.api.results import Results, RunResult
from benchbench.api.training.in_memory import as_models
from benchbench.api.training.validator import Separate
from benchbench.datasets.dataset import open_dataset
from benchbench.errors import UsageError
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.io.remote import RemoteFolder, local_folder
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.plugins.metric_catalog import MetricCatalog
from benchbench.plugins.model_names import listed
from benchbench.running.events import Listener, Note, Stage
from benchbench.running.executors import Executor, LocalExecutor, Stop
from benchbench.running.plan import Resume, resume_mode
from benchbench.running.request import Comparison, KeepStems, Separating, Storing
from benchbench.running.run_steps import Run
from benchbench.running.scorable import require_common_stems, scorable
from benchbench.scoring.metric_folders import resolve_metrics
from benchbench.separation.model_setup import with_options
from benchbench.separation.separator import Limits

__all__ = ["RunResult", "run"]

ExecutorName = Literal["local", "dask"]


def run(
    models: str | Sequence[str],
    dataset: str = "demo",
    *,
    metrics: str | Sequence[str] = "report",
    out: Path | str = "results",
    root: AnyPath | None = None,
    split: str | None = None,
    tracks: str | Sequence[str] | None = None,
    limit: int | None = None,
    jobs: int = 1,
    resume: Resume = "only-missing",
    retry_failed: bool = False,
    weights: AnyPath | None = None,
    device: str = "auto",
    options: Mapping[str, AnyValue] | None = None,
    adapter_paths: Sequence[AnyPath] = (),
    metric_paths: Sequence[AnyPath] = (),
    metric_options: Mapping[str, Mapping[str, AnyValue]] | None = None,
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
    allow_truncated: bool = False,
    functions: Mapping[str, Separate] | None = None,
) -> RunResult:
    """Separate a data set with some models, score the stems, store the scores, write a report.

    Parameters
    ----------
    models
        ``adapter`` or ``adapter:variant``; several as a sequence, or joined by commas.
    dataset
        The data set's name.
    metrics
        Names of protocols or of groups of them, as a sequence or joined by commas; ``report`` is
        everything that the report shows.
    out
        The results folder; earlier results in it are kept and not computed again. An address
        such as ``s3://bucket/results`` works too.
    root
        The data set's folder, if it is not installed.
    split, tracks, limit
        Selection of tracks: a split or ``all``; names of tracks; the number of tracks, from the first.
    jobs
        Number of tracks processed at the same time, limited by processors and memory; 1: one after
        the other, for clean timings.
    resume
        ``only-missing``: compute what is not stored; ``always``: compute everything again;
        ``only-cache``: compute nothing, and raise if anything is missing.
    retry_failed
        Try separations again that failed in an earlier run.
    weights
        A folder with other weights, for a single model.
    device
        ``auto``, ``cpu`` or ``gpu``; passed to the adapters.
    options
        Adapter options, for every model that has an option of that name.
    adapter_paths
        Folders that are searched for adapters first.
    metric_paths, metric_options
        Folders that are searched for metrics first; options by name of the metric folder.
    keep_stems
        ``auto``: keep stems for listening when the licence allows excerpts.
    limits
        Time and memory limits of separations.
    report
        Whether to write ``report.html`` into the results folder.
    listener
        Called with every `benchbench.running.events.Event`; None: a progress bar in a notebook,
        nothing elsewhere.
    command
        The command line, stored with the run.
    threads
        Numeric threads of each process; None: the processors are shared equally.
    executor
        ``local``: processes of this machine; ``dask``: the workers of a cluster.
    scheduler
        The address of a running Dask scheduler.
    cluster
        A cluster to start for the run: ``kind`` (``local``, ``ssh``, ``slurm`` or
        ``kubernetes``), ``workers``, and the options of that kind of cluster.
    stop
        When set, the run finishes the current separations and raises `StoppedError`.
    track
        Log the run to a tracker: ``mlflow``, ``tensorboard`` or ``wandb``, or ``tracker=place``
        with a folder or an address.
    allow_truncated
        Whether truncated audio files are read up to their end and flagged.
    functions
        Further models by name: ``(mixture, sample_rate) -> {stem: array}``, mixture and stems of
        shape (channels, samples). They separate every track in this process; their time and
        memory are not measured, and an exception in one ends the run.

    Returns
    -------
    RunResult
        The scores and the outcome. A separator's failure is stored as a row; it raises no exception.

    Raises
    ------
    benchbench.errors.BenchbenchError
        When the request cannot be carried out; earlier results stay intact.

    Examples
    --------
    Two models on the songs in ``songs/<track>/<stem>.wav``:

    >>> import benchbench
    >>> result = benchbench.run(
    ...     "irm,mixture", "folder", root="songs", metrics="usdr", report=False)
    >>> result.tally.ok, result.tally.failed
    (4, 0)

    A function beside them:

    >>> half = lambda mixture, rate: {"vocals": mixture / 2, "accompaniment": mixture / 2}
    >>> result = benchbench.run(
    ...     "mixture", "folder", root="songs", metrics="usdr", report=False,
    ...     functions={"half": half})
    >>> sorted(result.scores_frame()["model"].unique())
    ['half:2stems', 'mixture:2stems']
    """
    listener = listener or default_listener()
    if track:
        require_tracker(track)
    if callable(models):
        raise UsageError(
            "A function has no name on the board.", hint="Pass functions={'NAME': FUNCTION}."
        )
    if functions and executor != "local":
        raise UsageError("A function separates in this process: use executor='local'.")
    models, tracks = listed(models), [tracks] if isinstance(tracks, str) else tracks
    carried_out_by = _executor(executor, jobs, scheduler, cluster)
    catalog = Catalog(paths_of(adapter_paths))
    chosen = with_options(catalog.models(models), options or {})
    protocols = resolve_metrics(
        metrics,
        MetricCatalog(paths_of(metric_paths)),
        metric_options,
        lambda text: listener(Note(text)),
    )
    separating = Separating(path_of(weights), device, limits or Limits(), threads)
    if chosen or not functions:
        separating.require_sane(chosen, jobs)
    data_set = open_dataset(
        catalog.dataset(dataset),
        path_of(root),
        split=split,
        names=tracks,
        limit=limit,
        tell=lambda text: listener(Note(text)),
    )
    protocols = scorable(protocols, data_set, chosen, lambda text: listener(Note(text)))
    require_common_stems(protocols, data_set, chosen, lambda text: listener(Note(text)))
    facts = {"split": split, "tracks": list(tracks or ()), "limit": limit, "device": device,
             "metrics": [protocol.name for protocol in protocols], "resume": resume,
             "executor": executor, "threads": threads}  # fmt: skip
    storing = Storing(out, resume_mode(resume), retry_failed, keep_stems, facts)
    with as_models(
        functions or {},
        data_set.tracks,
        lambda text: listener(Stage(text)),
        reserved=catalog.adapter_names(),
        allow_truncated=allow_truncated,
    ) as folders:
        chosen += Catalog(folders).models(tuple(functions or ()))
        comparison = Comparison(tuple(chosen), data_set, protocols, allow_truncated)
        steps = Run(comparison, separating, storing, listener, stop or Stop())
        steps.prepare()
        computes = steps.has_work(local=executor == "local")
        if computes:
            steps.carry_out(carried_out_by, jobs, command)
    if report:
        listener(Stage("Writing the report"))
    results, models = Results(local_folder(out)), tuple(steps.setups)
    page = _write_page(results, models, data_set.manifest.name, storing) if report else None
    result = RunResult(
        results, steps.run_id, steps.tally, steps.present, page, models, *steps.planned.asked_for()
    )
    if track and computes:
        listener(Stage(f"Logging to {track}"))
        track_run(result, track)
    return result


def _write_page(
    results: Results, models: Sequence[str], dataset: str, storing: Storing
) -> Path | None:
    """The report of the whole folder, with this run's models marked; None without scores."""
    from benchbench.api.report import report as write_report
    from benchbench.reporting.data.loading import stored_models

    if not set(models) & set(stored_models([results.root])):
        return None
    page = write_report(
        [results.root], results.root / "report.html", dataset=dataset, marked=models
    )
    if storing.is_remote:
        RemoteFolder(str(storing.out)).put(page, page.name)
    return page


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
