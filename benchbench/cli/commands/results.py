"""``bench report``, ``compare``, ``gate`` and ``agreement``: judge stored results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from benchbench.cli.flags import OnlyModels, ResultsFolder
from benchbench.cli.terminal import say, width
from benchbench.cli.values import one_of, words
from benchbench.errors import UsageError

__all__ = ["agreement", "compare", "gate", "report"]


def report(
    results: Annotated[
        list[Path] | None, typer.Argument(metavar="RESULTS", help="Results folders.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="A file, or a folder (ending in /) for a site of many pages."
        ),
    ] = None,
    audio: Annotated[
        str,
        typer.Option(metavar="none|excerpts|full", help="The audio to put into the page."),
    ] = "excerpts",
    models: Annotated[
        str | None, typer.Option(metavar="MODELS", help="Only these models, joined by commas.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The model to compare the others with.")
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where a site will be published, for its feed and link previews.",
        ),
    ] = "",
) -> None:
    """Write the HTML report of one or more results folders."""
    from benchbench.api.report import report as render
    from benchbench.io.remote import is_url

    folders = results or [Path("results")]
    beside = Path() if is_url(folders[0]) else folders[0]
    page = render(
        folders,
        out or beside / "report.html",
        audio=one_of("--audio", audio, ("none", "excerpts", "full")),
        models=words(models) if models else None,
        baseline=baseline,
        url=url,
    )
    typer.echo(str(page))


def compare(
    a: Annotated[
        str,
        typer.Argument(metavar="A", help="A folder, FOLDER@RUN, FOLDER@MODEL, or a baseline file."),
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The same; B is judged against A.")],
    results: ResultsFolder = Path("results"),
    models: OnlyModels = None,
    frames: Annotated[
        str,
        typer.Option(
            metavar="own|shared",
            help="own: each side's frames; shared: only the frames that both have.",
        ),
    ] = "own",
    summary: Annotated[
        str,
        typer.Option(
            "--aggregate-frames",
            metavar="median|mean",
            help="One number per track from its frames.",
        ),
    ] = "median",
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="NUMBER", help="Differences up to this do not matter, in dB or the unit.", min=0
        ),
    ] = 0.1,
    format: Annotated[
        str, typer.Option(metavar="table|json|markdown|html", help="Output format.")
    ] = "table",
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help="Rows of a table; the headline metric comes first.", min=1),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every metric and frequency band.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to this file instead of to stdout."),
    ] = None,
) -> None:
    """Compare two models, metric by metric."""
    from benchbench import comparison as side_by_side

    form = one_of("--format", format, ("table", "json", "markdown", "html"))
    comparison = side_by_side.compare(
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
            comparison, limit=limit, everything=everything, columns=width()
        )
    elif form == "markdown":
        text = side_by_side.comparison_markdown(comparison, limit=limit)
    else:
        makers = {"json": side_by_side.comparison_json, "html": side_by_side.comparison_html}
        text = makers[form](comparison)
    _put(text, out)
    if not comparison.compared:
        typer.echo("Nothing was compared.", err=True)
        raise typer.Exit(3)


def gate(
    baseline: Annotated[Path, typer.Option(metavar="FILE", help="The baseline file.")],
    results: ResultsFolder = Path("results"),
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="quality|identical",
            help="quality: for new weights; identical: for a refactoring.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A gate.toml with tolerances.")
    ] = None,
    models: OnlyModels = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Inconclusive rows do not pass.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write the results as the new baseline.")
    ] = False,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Propose tolerances from two runs of the same model."),
    ] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML to this file.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JSON to this file.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an HTML page to this file.")
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Append Markdown to this file; by default to $GITHUB_STEP_SUMMARY, if set.",
        ),
    ] = None,
) -> None:
    """Compare results with a baseline: exit code 0 passed, 1 regression, 3 too little compared."""
    from dataclasses import replace

    from benchbench.comparison import gate as gating

    if accept and calibrate:
        raise UsageError("--accept and --calibrate exclude each other.")
    if accept:
        say(f"Baseline: {gating.accept(results, baseline)}. Review it and commit it.")
        return
    if calibrate:
        say(gating.calibrate(baseline, results).toml.rstrip("\n"))
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
    say(gating.gate_text(result).rstrip("\n"))
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def agreement(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results folder.")] = Path(
        "results"
    ),
    target: Annotated[
        str | None, typer.Option(metavar="TARGET", help="The rated target, if there are several.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="DATASET", help="The rated data set, if there are several."),
    ] = None,
    format: Annotated[str, typer.Option(metavar="table|csv", help="Output format.")] = "table",
) -> None:
    """Compare metrics with listeners: how often both order two separators alike."""
    from benchbench.api.agreement import agreement as measure
    from benchbench.cli.tables.agreement import agreement_csv, agreement_table

    form = one_of("--format", format, ("table", "csv"))
    shares = measure(results, target=target, dataset=dataset)
    say(agreement_table(shares) if form == "table" else agreement_csv(shares))


def _put(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text.rstrip("\n"))
        return
    from benchbench.io.atomic import write_whole

    write_whole(out, text)
