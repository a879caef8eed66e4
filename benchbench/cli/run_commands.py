"""The commands that compute: run, separate, score, train."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from benchbench.cli.flags import (
    AdapterPath,
    AllowTruncated,
    DatasetName,
    Device,
    MemoryLimit,
    MetricOptions,
    MetricPath,
    Metrics,
    Model,
    Models,
    Options,
    Quiet,
    Root,
    Timeout,
    Verbose,
    Weights,
    limits,
    one_of,
    parse_cluster,
    parse_metric_options,
    parse_options,
    verbosity,
    words,
)
from benchbench.cli.interrupts import interruptible, stoppable
from benchbench.errors import BenchbenchError, UsageError

__all__ = ["register"]

DEFAULT_MODELS = "spleeter,zipformer,irm,mixture,silence"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(run)
    app.command()(separate)
    app.command()(score)
    app.command()(train)


def run(
    models: Models = DEFAULT_MODELS,
    dataset: DatasetName = "demo",
    metrics: Metrics = "report",
    out: Annotated[
        str, typer.Option(help="The results' folder, or an address such as s3://bucket/results.")
    ] = "results",
    root: Root = None,
    split: Annotated[str | None, typer.Option(help="A split of the data set, or all.")] = None,
    tracks: Annotated[
        list[str],
        typer.Option(
            help="Only these tracks, joined by commas; repeatable, for names with commas."
        ),
    ] = [],  # noqa: B006
    limit: Annotated[int | None, typer.Option(help="Only so many tracks.", min=1)] = None,
    jobs: Annotated[
        int, typer.Option(help="Tracks worked on at once; 1: clean timings.", min=1)
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(help="Numeric threads of each job; default: an equal share.", min=1),
    ] = None,
    executor: Annotated[str, typer.Option(help="local or dask.")] = "local",
    scheduler: Annotated[
        str | None, typer.Option(help="The address of a running Dask scheduler.")
    ] = None,
    cluster: Annotated[
        Any,
        typer.Option(
            parser=parse_cluster,
            metavar="FILE",
            help="A TOML file that describes a Dask cluster to start; in a configuration file, "
            "a table.",
        ),
    ] = None,
    resume: Annotated[
        str,
        typer.Option(
            help="only-missing: compute what is not stored; always: compute all again; "
            "only-cache: compute nothing, fail if anything is missing."
        ),
    ] = "only-missing",
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Retry failed separations.")
    ] = False,
    weights: Weights = None,
    device: Device = "auto",
    option: Options = [],  # noqa: B006 - typer reads the default and makes a new list
    adapter_path: AdapterPath = [],  # noqa: B006
    metric_path: MetricPath = [],  # noqa: B006
    metric_option: MetricOptions = [],  # noqa: B006
    keep_stems: Annotated[
        str,
        typer.Option(help="Keep stems for listening: yes, no, or auto (if the licence allows)."),
    ] = "auto",
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="TRACKER",
            help="Log the run: mlflow, tensorboard or wandb, or tracker=folder-or-address.",
        ),
    ] = None,
    allow_truncated: AllowTruncated = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Skip the HTML report.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be done, how long, how large.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Separate a data set with some models, score the stems, and write a report."""
    if plan:
        from benchbench.api.plan import plan_run
        from benchbench.cli.plan_table import plan_table

        planned = plan_run(
            words(models), dataset, metrics=words(metrics), out=out, root=root, split=split,
            tracks=tracks or None, limit=limit, options=parse_options(option),
            adapter_paths=adapter_path,
        )  # fmt: skip
        typer.echo(plan_table(planned))
        return
    from benchbench.cli.progress import RunDisplay
    from benchbench.running.plan import resume_mode

    with RunDisplay(verbosity(quiet, verbose)) as display, stoppable(display) as stop:
        from benchbench.api.run import run as run_models  # the display shows that it is loading

        result = run_models(
            words(models),
            dataset,
            metrics=words(metrics),
            out=out,
            root=root,
            split=split,
            tracks=tracks or None,
            limit=limit,
            jobs=jobs,
            resume=resume_mode(resume),
            retry_failed=retry_failed,
            weights=weights,
            device=one_of("--device", device, ("auto", "cpu", "gpu")),
            options=parse_options(option),
            adapter_paths=adapter_path,
            metric_paths=metric_path,
            metric_options=parse_metric_options(metric_option),
            keep_stems=one_of("--keep-stems", keep_stems, ("auto", "yes", "no")),
            limits=limits(timeout, memory_limit),
            report=not no_report,
            listener=display,
            command=["bench", *sys.argv[1:]],
            threads=threads,
            executor=one_of("--executor", executor, ("local", "dask")),
            scheduler=scheduler,
            cluster=cluster,
            stop=stop,
            track=track,
            allow_truncated=allow_truncated,
        )
    from benchbench.cli.run_summary import summary

    table = summary(
        result.results, models=list(result.models), dataset=dataset, metrics=words(metrics)
    )
    typer.echo(table.text)
    if result.report:
        typer.echo(f"Report: {result.report}")
    if result.tally.failed:
        raise typer.Exit(4)
    if not table.scored:
        typer.echo(f"No score has a value. {table.why}".rstrip(), err=True)
        raise typer.Exit(3)


def separate(
    inputs: Annotated[list[Path], typer.Argument(help="Audio files.")],
    model: Model = "spleeter",
    out: Annotated[Path, typer.Option(help="The folder for the stems.")] = Path("separated"),
    weights: Weights = None,
    device: Device = "auto",
    option: Options = [],  # noqa: B006
    adapter_path: AdapterPath = [],  # noqa: B006
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
    allow_truncated: AllowTruncated = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Separate files into float WAV stems, one folder per track."""
    from benchbench.cli.progress import RunDisplay

    failures: dict[Path, BenchbenchError] = {}

    with RunDisplay(verbosity(quiet, verbose)) as display, interruptible():
        from benchbench.api.separate import separate as separate_files

        separated = separate_files(
            model,
            inputs,
            out,
            weights=weights,
            device=one_of("--device", device, ("auto", "cpu", "gpu")),
            options=parse_options(option),
            adapter_paths=adapter_path,
            limits=limits(timeout, memory_limit),
            allow_truncated=allow_truncated,
            listener=display,
            on_failure=failures.__setitem__,
        )
    for stems in separated.values():
        for path in stems.values():
            typer.echo(os.fsencode(path))
    if len(inputs) == 1 and failures:
        raise failures[inputs[0]]
    for source, error in failures.items():
        typer.echo(f"{source} was not separated: {error}", err=True)
    if failures:
        raise typer.Exit(4)


def score(
    estimates: Annotated[Path, typer.Option(help="A folder of separated stems, or a file.")],
    references: Annotated[
        Path | None, typer.Option(help="A folder of true stems, or a file.")
    ] = None,
    mixture: Annotated[
        Path | None, typer.Option(help="The song, where there are no true stems.")
    ] = None,
    against: Annotated[
        list[Path], typer.Option(help="Other stems of the song, with --mixture; repeatable.")
    ] = [],  # noqa: B006
    metrics: Metrics = "standard",
    metric_path: MetricPath = [],  # noqa: B006
    metric_option: MetricOptions = [],  # noqa: B006
    allow_truncated: AllowTruncated = False,
    format: Annotated[str, typer.Option(help="table, json, csv or parquet.")] = "table",
    out: Annotated[Path | None, typer.Option(help="Write here instead of to stdout.")] = None,
) -> None:
    """Score any folder of stems: no model, no data set."""
    form = one_of("--format", format, ("table", "json", "csv", "parquet"))
    if form == "parquet" and out is None:
        raise UsageError("Parquet is not text.", hint="Name a file with --out.")
    from benchbench.api.score import score as score_folder
    from benchbench.cli.score_output import written

    if (references is None) == (mixture is None):
        raise UsageError("Either --references or --mixture is needed.")
    if mixture is not None:
        from benchbench.api.score_mixture import score_mixture

        _put(written(score_mixture(mixture, estimates, against), form), out)
        return
    assert references is not None
    failed: list[str] = []

    def list_failure(track: str, error: BenchbenchError) -> None:
        failed.append(track)
        typer.echo(f"{track} cannot be scored: {error.message}", err=True)

    table = score_folder(
        references,
        estimates,
        metrics=words(metrics),
        metric_paths=metric_path,
        metric_options=parse_metric_options(metric_option),
        allow_truncated=allow_truncated,
        tell=lambda text: typer.echo(text, err=True),
        on_failure=list_failure,
    )
    _put(written(table, form), out)
    if failed:
        typer.echo(f"Not scored: {', '.join(failed)}.", err=True)
        raise typer.Exit(4)


def _put(content: bytes, out: Path | None) -> None:
    """Print, or write into a file."""
    if out is None:
        typer.echo(content.decode("utf-8").rstrip("\n"))
        return
    from benchbench.io.atomic import write_whole

    write_whole(out, content)


def train(
    model: Annotated[str, typer.Argument(help="adapter or adapter:variant.")],
    dataset: Annotated[
        str | None,
        typer.Option(help="A data set with stems; default synth, or none with --songs."),
    ] = None,
    songs: Annotated[
        Path | None,
        typer.Option(help="A folder of songs without stems, for recipes that use such."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The run's folder; given again, it goes on.")] = Path(
        "trained"
    ),
    root: Root = None,
    split: Annotated[str | None, typer.Option(help="A split; default train.")] = None,
    validation: Annotated[
        str | None, typer.Option(help="Tracks kept for validation, joined by commas.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Weights to start from.")] = None,
    option: Annotated[
        list[str], typer.Option("--option", help="Of the recipe, such as steps=1000; repeatable.")
    ] = [],  # noqa: B006
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Train or fine-tune a model on a data set; prints the folder of its weights."""
    from benchbench.api.train import train as learn

    folder = learn(
        model, dataset, songs=songs, out=out, root=root, split=split,
        validation=words(validation) if validation is not None else None,
        weights=weights, options=parse_options(option), adapter_paths=adapter_path,
        tell=lambda text: typer.echo(text, err=True),
    )  # fmt: skip
    typer.echo(str(folder))
