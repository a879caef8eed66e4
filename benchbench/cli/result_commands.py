"""The commands that work on results only: compare, gate, import, agreement, export."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from benchbench.cli.flags import one_of, words
from benchbench.cli.terminal import width
from benchbench.errors import UsageError

__all__ = ["register"]

ResultsFolder = Annotated[Path, typer.Option("--results", help="The results' folder.")]
Models = Annotated[str | None, typer.Option(help="Only these models, joined by commas.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(compare)
    app.command()(gate)
    app.command("import")(import_)
    app.command()(export)
    app.command()(agreement)


def compare(
    a: Annotated[str, typer.Argument(help="A folder, FOLDER@RUN, FOLDER@MODEL, or a baseline.")],
    b: Annotated[str, typer.Argument(help="The same; b is judged against a.")],
    results: ResultsFolder = Path("results"),
    models: Models = None,
    frames: Annotated[
        str, typer.Option(help="own: each side's frames; shared: only those that both have.")
    ] = "own",
    summary: Annotated[
        str, typer.Option("--aggregate-frames", help="median or mean, on each track.")
    ] = "median",
    tolerance: Annotated[
        float, typer.Option(help="A difference that does not matter.", min=0)
    ] = 0.1,
    format: Annotated[str, typer.Option(help="table, json, markdown or html.")] = "table",
    limit: Annotated[
        int | None, typer.Option(help="Rows of a table; the headline metric comes first.", min=1)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every metric and frequency band.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write here instead of to stdout.")] = None,
) -> None:
    """Compare two models, metric by metric."""
    from benchbench import comparison as side_by_side

    form = one_of("--format", format, ("table", "json", "markdown", "html"))
    found = side_by_side.compare(
        a,
        b,
        results=results,
        models=words(models) if models else (),
        frames=one_of("--frames", frames, ("own", "shared")),
        aggregate_frames=one_of("--aggregate-frames", summary, ("median", "mean")),
        tolerances=side_by_side.Tolerances(tolerance),
    )
    if form == "table":
        text = side_by_side.comparison_text(
            found, limit=limit, everything=everything, columns=width()
        )
    elif form == "markdown":
        text = side_by_side.comparison_markdown(found, limit=limit)
    else:
        makers = {"json": side_by_side.comparison_json, "html": side_by_side.comparison_html}
        text = makers[form](found)
    _put(text, out)
    if not found.compared:
        typer.echo("Nothing was compared.", err=True)
        raise typer.Exit(3)


def gate(
    baseline: Annotated[Path, typer.Option(help="The baseline file.")],
    results: ResultsFolder = Path("results"),
    profile: Annotated[
        str | None, typer.Option(help="quality: new weights; identical: a refactoring.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A gate.toml with tolerances.")] = None,
    models: Models = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="What is inconclusive does not pass.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write the results as the new baseline.")
    ] = False,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Both are the same model: propose tolerances."),
    ] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write JSON here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page here.")] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Append Markdown here; by default to $GITHUB_STEP_SUMMARY, if set."),
    ] = None,
) -> None:
    """Judge results against a baseline: exit code 0 fine, 1 regression, 3 too little compared."""
    from dataclasses import replace

    from benchbench.comparison import gate as gating

    if accept and calibrate:
        raise UsageError("--accept and --calibrate exclude each other.")
    if accept:
        typer.echo(f"Baseline: {gating.accept(results, baseline)}. Review it and commit it.")
        return
    if calibrate:
        typer.echo(gating.calibrate(baseline, results).toml.rstrip("\n"))
        return
    rules = gating.read_gate_config(config) if config else gating.GateConfig()
    changes: dict[str, Any] = {}
    if profile is not None:
        changes["profile"] = one_of("--profile", profile, ("quality", "identical"))
    if strict:
        changes["strict"] = True
    if models:
        changes["models"] = tuple(words(models))
    result = gating.gate(baseline, results, replace(rules, **changes))
    step = os.environ.get("GITHUB_STEP_SUMMARY")
    gating.write_reports(
        result,
        junit=junit,
        summary=summary or (Path(step) if step else None),
        json_file=json,
        html=html,
    )
    typer.echo(gating.gate_text(result).rstrip("\n"))
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def import_(
    kind: Annotated[
        str,
        typer.Argument(
            help="museval, table, msst, ratings, webmushra or benchbench; or a source: sisec18, "
            "stemsplit."
        ),
    ],
    path: Annotated[Path, typer.Argument(help="The file or folder to import.")],
    source: Annotated[
        str | None, typer.Option(help="A short name of the origin; sisec18, stemsplit have one.")
    ] = None,
    results: ResultsFolder = Path("results"),
    licence: Annotated[str | None, typer.Option(help="The licence of the numbers.")] = None,
    citation: Annotated[str | None, typer.Option(help="What to cite.")] = None,
    url: Annotated[str | None, typer.Option(help="Where they were found.")] = None,
    trained_on: Annotated[
        str, typer.Option(help="Data sets that all models were trained on, joined by commas.")
    ] = "",
    dataset: Annotated[str | None, typer.Option(help="The data set, for museval, msst.")] = None,
    protocol: Annotated[str | None, typer.Option(help="The protocol, for museval.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's name, for msst.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Which column is what, for a table; TOML.")
    ] = None,
    oracle: Annotated[
        str, typer.Option(help="Models that saw the references, joined by commas: IRM1,IRM2.")
    ] = "",
    baseline: Annotated[
        str, typer.Option(help="Models that separate nothing, joined by commas: MIX.")
    ] = "",
    generative: Annotated[
        str, typer.Option(help="Models that make a target anew, joined by commas.")
    ] = "",
) -> None:
    """Take over results of others, with their origin, protocol and licence."""
    from benchbench.api.import_results import import_results, source_of

    done = import_results(
        kind,
        path,
        results,
        source=source_of(kind, source, licence, citation, url, tuple(words(trained_on))),
        dataset=dataset,
        protocol=protocol,
        model=model,
        mapping=mapping,
        oracle=words(oracle),
        baseline=words(baseline),
        generative=words(generative),
    )
    for note in done.notes:
        typer.echo(note, err=True)
    typer.echo(f"{done.rows} rows of {done.tracks} tracks: {', '.join(done.models)}")


def agreement(
    results: Annotated[Path, typer.Argument(help="The results' folder.")] = Path("results"),
    target: Annotated[
        str | None, typer.Option(help="The target that was rated, where there are several.")
    ] = None,
    format: Annotated[str, typer.Option(help="table or csv.")] = "table",
) -> None:
    """Say which metric orders separators as your listeners do."""
    from benchbench.api.agreement import agreement as measure
    from benchbench.cli.agreement_table import agreement_csv, agreement_table

    form = one_of("--format", format, ("table", "csv"))
    found = measure(results, target=target)
    typer.echo(agreement_table(found) if form == "table" else agreement_csv(found))


def export(
    form: Annotated[
        str,
        typer.Argument(
            help="museval, csv, latex, webmushra, huggingface, mlflow, tensorboard or wandb."
        ),
    ],
    out: Annotated[str, typer.Option(help="The file or folder to write; mlflow: or an address.")],
    results: ResultsFolder = Path("results"),
    protocol: Annotated[str, typer.Option(help="The protocol.")] = "bsseval-v4",
    metric: Annotated[str, typer.Option(help="The metric, for latex.")] = "SDR",
    dataset: Annotated[str | None, typer.Option(help="The data set, where there are many.")] = None,
    aggregation: Annotated[
        str | None, typer.Option(help="By default the protocol's own: median of frame medians, ...")
    ] = None,
    level: Annotated[str, typer.Option(help="frames, tracks or models, for csv.")] = "tracks",
    target: Annotated[str, typer.Option(help="The target, for webmushra.")] = "vocals",
    models: Models = None,
    tracks: Annotated[str | None, typer.Option(help="Only these, for webmushra.")] = None,
    seconds: Annotated[float, typer.Option(help="Of each excerpt, for webmushra.", min=1)] = 10.0,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Print 95% intervals, for latex.")
    ] = False,
) -> None:
    """Write results for museval, a paper, a listening test, a leaderboard or a tracker."""
    from benchbench.api.export import export as write

    for path in write(
        form,
        out,
        results,
        protocol=protocol,
        metric=metric,
        dataset=dataset,
        aggregation=aggregation,
        level=one_of("--level", level, ("frames", "tracks", "models")),
        target=target,
        models=words(models) if models else (),
        tracks=words(tracks) if tracks else (),
        seconds=seconds,
        intervals=intervals,
    ):
        typer.echo(str(path))


def _put(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text.rstrip("\n"))
        return
    from benchbench.io.atomic import write_whole

    write_whole(out, text)
