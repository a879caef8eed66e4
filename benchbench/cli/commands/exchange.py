"""``bench import`` and ``export``: results of others, and formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.flags import OnlyModels, ResultsFolder
from benchbench.cli.help import RESULTS
from benchbench.cli.terminal import say
from benchbench.cli.values import one_of, words
from benchbench.errors import UsageError

__all__ = ["export", "import_"]

ORIGIN = "Origin"
MEANING = "Meaning of the numbers"
TABLES = "For csv and latex"
LISTENING_TESTS = "For webmushra"
HUB = "For huggingface"


def import_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="museval, table, msst, ratings, webmushra or benchbench; or a known source: "
            "sisec18, stemsplit.",
        ),
    ],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file or folder to import.")],
    results: ResultsFolder = Path("results"),
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A short name of the origin; sisec18 and stemsplit have one.",
            rich_help_panel=ORIGIN,
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The licence of the numbers.", rich_help_panel=ORIGIN),
    ] = None,
    citation: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What to cite.", rich_help_panel=ORIGIN)
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The address of the numbers.", rich_help_panel=ORIGIN),
    ] = None,
    trained_on: Annotated[
        str,
        typer.Option(
            metavar="DATASETS",
            help="Data sets that all models were trained on, joined by commas.",
            rich_help_panel=ORIGIN,
        ),
    ] = "",
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="The data set, for museval, msst.", rich_help_panel=MEANING
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="PROTOCOL", help="The protocol, for museval.", rich_help_panel=MEANING
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The model's name, for msst.", rich_help_panel=MEANING),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The meaning of each column of a table, in TOML.",
            rich_help_panel=MEANING,
        ),
    ] = None,
    oracle: Annotated[
        str,
        typer.Option(
            metavar="MODELS",
            help="Models that used the references, joined by commas: IRM1,IRM2.",
            rich_help_panel=MEANING,
        ),
    ] = "",
    baseline: Annotated[
        str,
        typer.Option(
            metavar="MODELS",
            help="Models that separate nothing, joined by commas: MIX.",
            rich_help_panel=MEANING,
        ),
    ] = "",
    generative: Annotated[
        str,
        typer.Option(
            metavar="MODELS",
            help="Generative models, joined by commas.",
            rich_help_panel=MEANING,
        ),
    ] = "",
) -> None:
    """Import the results of others, with their origin, protocol and licence."""
    from benchbench.api.import_results import import_results, source_of

    imported = import_results(
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
    for note in imported.notes:
        say(note, err=True)
    say(f"{imported.rows} rows of {imported.tracks} tracks: {', '.join(imported.models)}")


def export(
    form: Annotated[
        str,
        typer.Argument(
            metavar="FORM",
            help="museval, csv, latex, webmushra, huggingface, mlflow, tensorboard or wandb.",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="The file or folder to write; for mlflow: or an address.",
            rich_help_panel=RESULTS,
        ),
    ],
    results: ResultsFolder = Path("results"),
    models: OnlyModels = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="The data set, if there are several.", rich_help_panel=RESULTS
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="PROTOCOL",
            help="The protocol; default: the first stored of bsseval-v4, bsseval-v3, usdr, si.",
            rich_help_panel=RESULTS,
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option(metavar="METRIC", help="The metric, for latex.", rich_help_panel=TABLES)
    ] = "SDR",
    aggregation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="An aggregation such as 'mean over tracks'; default: the protocol's.",
            rich_help_panel=TABLES,
        ),
    ] = None,
    level: Annotated[
        str,
        typer.Option(
            metavar="frames|tracks|models",
            help="One row for each, for csv.",
            rich_help_panel=TABLES,
        ),
    ] = "tracks",
    intervals: Annotated[
        bool,
        typer.Option("--intervals", help="Print 95% intervals, for latex.", rich_help_panel=TABLES),
    ] = False,
    target: Annotated[
        str, typer.Option(metavar="TARGET", help="The target.", rich_help_panel=LISTENING_TESTS)
    ] = "vocals",
    tracks: Annotated[
        str | None,
        typer.Option(
            metavar="TRACKS",
            help="Only these tracks, joined by commas.",
            rich_help_panel=LISTENING_TESTS,
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="Length of each excerpt.",
            min=1,
            rich_help_panel=LISTENING_TESTS,
        ),
    ] = 10.0,
    benchmark: Annotated[
        str,
        typer.Option(
            metavar="OWNER/NAME",
            help="The data set's repository: write .eval_results and eval.yaml too.",
            rich_help_panel=HUB,
        ),
    ] = "",
    push: Annotated[
        list[str],
        typer.Option(
            metavar="MODEL=OWNER/NAME",
            help="Open a pull request in the model's repository; repeatable.",
            rich_help_panel=HUB,
        ),
    ] = [],  # noqa: B006
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
        benchmark=benchmark,
        push=_pairs(push),
    ):
        typer.echo(str(path))


def _pairs(texts: list[str]) -> dict[str, str]:
    """``MODEL=REPOSITORY`` texts as a dictionary; a model's name may contain ``=``."""
    pairs = [text.rpartition("=") for text in texts]
    for text, (model, equals, repository) in zip(texts, pairs, strict=True):
        if not (model and equals and repository):
            raise UsageError(f"--push {text}: MODEL=owner/name is needed.")
    return {model: repository for model, _, repository in pairs}
