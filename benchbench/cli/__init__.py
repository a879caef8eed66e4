"""The command line: verbs and their flags; each hands over to a function of `benchbench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli import inspect_commands as looking
from benchbench.cli import result_commands as comparing
from benchbench.cli import run_commands as measuring
from benchbench.cli.config import read_config

__all__ = ["app"]

app = typer.Typer(
    name="bench",
    help="Evaluate, compare and gate music source separation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _common(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="A TOML file that holds what flags hold: [run] models = ...")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("benchbench"))
        raise typer.Exit
    if config is not None:
        context.default_map = read_config(config, context)


for verbs in (measuring, looking, comparing):
    verbs.register(app)
