"""``bench score``: score stems that exist already."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchbench.cli.flags import AllowTruncated, MetricOptions, MetricPath, Metrics
from benchbench.cli.terminal import say
from benchbench.cli.values import one_of, parse_metric_options, parse_renames, words
from benchbench.errors import BenchbenchError, UsageError
from benchbench.io.terminal import printable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["score"]


def score(
    estimates: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="A folder of separated stems, or a single file."),
    ],
    references: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A folder of true stems, or a single file."),
    ] = None,
    mixture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The song, if there are no true stems."),
    ] = None,
    against: Annotated[
        list[Path],
        typer.Option(
            metavar="FOLDER",
            help="Stems of the song by another separator, with --mixture; repeatable.",
        ),
    ] = [],  # noqa: B006
    rename: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=NAME",
            help="The reference's name of an estimated stem or track, such as lead=vocals; "
            "repeatable.",
        ),
    ] = [],  # noqa: B006
    metrics: Metrics = "standard",
    metric_path: MetricPath = [],  # noqa: B006
    metric_option: MetricOptions = [],  # noqa: B006
    allow_truncated: AllowTruncated = False,
    format: Annotated[
        str, typer.Option(metavar="table|json|csv|parquet|html", help="Output format.")
    ] = "table",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to this file instead of to stdout."),
    ] = None,
) -> None:
    """Score a folder of stems, without a model or a data set."""
    form = one_of("--format", format, ("table", "json", "csv", "parquet", "html"))
    if form == "parquet" and out is None:
        raise UsageError("Parquet is a binary format.", hint="Name a file with --out.")
    from benchbench.api.score import score as score_folder

    to_terminal = out is None and sys.stdout.isatty()
    if (references is None) == (mixture is None):
        raise UsageError("Either --references or --mixture is needed.")
    if mixture is not None:
        if rename:
            raise UsageError("--rename pairs estimates with --references, and there are none.")
        from benchbench.api.score_mixture import score_mixture

        _put(_content(score_mixture(mixture, estimates, against), form, to_terminal), out)
        return
    assert references is not None
    failed: list[str] = []

    def list_failure(track: str, error: BenchbenchError) -> None:
        failed.append(track)
        say(f"{track} cannot be scored: {error.message}", err=True)

    table = score_folder(
        references,
        estimates,
        metrics=words(metrics),
        renames=parse_renames(rename),
        metric_paths=metric_path,
        metric_options=parse_metric_options(metric_option),
        allow_truncated=allow_truncated,
        tell=lambda text: say(text, err=True),
        on_failure=list_failure,
    )
    _put(_content(table, form, to_terminal), out)
    if failed:
        say(f"Not scored: {', '.join(failed)}.", err=True)
        raise typer.Exit(4)


def _content(table: pa.Table, form: str, to_terminal: bool) -> bytes:
    """The rows as a page, or in one of the other formats."""
    if form == "html":
        from benchbench.cli.tables.score_page import score_page

        return score_page(table).encode()
    from benchbench.cli.tables.scores import written
    from benchbench.cli.terminal import width

    return written(table, form, width() if to_terminal else None)


def _put(content: bytes, out: Path | None) -> None:
    """Print, or write into a file."""
    if out is None:
        text = content.decode("utf-8").rstrip("\n")
        typer.echo(printable(text) if sys.stdout.isatty() else text)  # a program reads it as it is
        return
    from benchbench.io.atomic import write_whole

    write_whole(out, content)
