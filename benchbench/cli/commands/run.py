"""``bench run``: separate a data set, score the stems, write a report."""

from __future__ import annotations

import sys
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
    Models,
    Options,
    Quiet,
    Root,
    Timeout,
    Verbose,
    Weights,
)
from benchbench.cli.help import DISPLAY, RESOURCES, RESULTS, SELECTION
from benchbench.cli.interrupts import stoppable
from benchbench.cli.terminal import say, say_json
from benchbench.cli.values import (
    limits,
    one_of,
    parse_cluster,
    parse_metric_options,
    parse_options,
    verbosity,
    words,
)

__all__ = ["run"]

DEFAULT_MODELS = "spleeter,zipformer,irm,mixture,silence"


def run(
    models: Models = DEFAULT_MODELS,
    dataset: DatasetName = "demo",
    metrics: Metrics = "report",
    root: Root = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="SPLIT",
            help="A split of the data set, or all.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    tracks: Annotated[
        list[str],
        typer.Option(
            metavar="TRACKS",
            help="Only these tracks, joined by commas; repeatable, for names with commas.",
            rich_help_panel=SELECTION,
        ),
    ] = [],  # noqa: B006
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Only the first N tracks.", min=1, rich_help_panel=SELECTION
        ),
    ] = None,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Show the work, time and downloads; compute nothing.",
            rich_help_panel=SELECTION,
        ),
    ] = False,
    out: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="The results folder, or an address such as s3://bucket/results.",
            rich_help_panel=RESULTS,
        ),
    ] = "results",
    resume: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="only-missing: compute what is not stored; always: compute all again; "
            "only-cache: compute nothing, fail if anything is missing.",
            rich_help_panel=RESULTS,
        ),
    ] = "only-missing",
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Retry failed separations.", rich_help_panel=RESULTS),
    ] = False,
    keep_stems: Annotated[
        str,
        typer.Option(
            metavar="auto|yes|no",
            help="Keep stems for listening; auto: if the licence allows it.",
            rich_help_panel=RESULTS,
        ),
    ] = "auto",
    no_report: Annotated[
        bool,
        typer.Option("--no-report", help="Skip the HTML report.", rich_help_panel=RESULTS),
    ] = False,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="TRACKER",
            help="Log the run to mlflow, tensorboard or wandb, or to TRACKER=FOLDER.",
            rich_help_panel=RESULTS,
        ),
    ] = None,
    weights: Weights = None,
    device: Device = "auto",
    option: Options = [],  # noqa: B006 - typer reads the default and makes a new list
    adapter_path: AdapterPath = [],  # noqa: B006
    metric_path: MetricPath = [],  # noqa: B006
    metric_option: MetricOptions = [],  # noqa: B006
    allow_truncated: AllowTruncated = False,
    jobs: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Tracks processed at once; times are comparable with 1 only.",
            min=1,
            rich_help_panel=RESOURCES,
        ),
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Threads per job; by default an equal share of the cores.",
            min=1,
            rich_help_panel=RESOURCES,
        ),
    ] = None,
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
    executor: Annotated[
        str,
        typer.Option(
            metavar="local|dask",
            help="This machine, or workers of Dask.",
            rich_help_panel=RESOURCES,
        ),
    ] = "local",
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="The address of a running Dask scheduler.",
            rich_help_panel=RESOURCES,
        ),
    ] = None,
    cluster: Annotated[
        Any,
        typer.Option(
            parser=parse_cluster,
            metavar="FILE",
            help="A TOML file that describes a Dask cluster to start; with --config, a table.",
            rich_help_panel=RESOURCES,
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            metavar="table|json", help="Output format of the result.", rich_help_panel=DISPLAY
        ),
    ] = "table",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Separate a data set with some models, score the stems, and write a report."""
    form = one_of("--format", format, ("table", "json"))
    if plan:
        from benchbench.api.plan import plan_run
        from benchbench.cli.tables.plan import plan_table

        planned = plan_run(
            words(models), dataset, metrics=words(metrics), out=out, root=root, split=split,
            tracks=tracks or None, limit=limit, options=parse_options(option),
            adapter_paths=adapter_path,
        )  # fmt: skip
        say(plan_table(planned))
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
    from benchbench.cli.tables.outcome import outcome_json

    table = summary(
        result.results, models=list(result.models), dataset=dataset, metrics=words(metrics)
    )
    if form == "json":
        say_json(outcome_json(result))
    else:
        say(table.text)
    if result.report and form == "table":
        typer.echo(f"Report: {result.report}")
    if not table.scored:
        say(f"No score has a value. {table.why}".rstrip(), err=True)
    if result.tally.failed or not table.scored:
        raise typer.Exit(4 if result.tally.failed else 3)
