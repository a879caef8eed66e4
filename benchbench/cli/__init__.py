"""The command line: commands and their flags; each calls a function of `benchbench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli import inspect_commands, result_commands, run_commands
from benchbench.cli.config import read_config

__all__ = ["app"]

app = typer.Typer(
    name="bench",
    help="Evaluate, compare and gate music source separation.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        from benchbench import __version__

        typer.echo(f"bench {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Read options from a TOML file: [run] models = ...")
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    del version  # printed by its callback, before a command is parsed
    if config is not None:
        context.default_map = read_config(config, context)


for commands in (run_commands, inspect_commands, result_commands):
    commands.register(app)
