"""The command line: commands and their flags; each calls a function of `benchbench`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from benchbench.cli.commands import (
    adapt,
    board,
    exchange,
    inspect,
    results,
    run,
    score,
    separate,
    setup,
    train,
)
from benchbench.cli.config import ConfigGroup, read_config
from benchbench.cli.help import add_command

__all__ = ["app"]

app = typer.Typer(
    name="bench",
    cls=ConfigGroup,
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
        Path | None,
        typer.Option(metavar="FILE", help="Read options from a TOML file: [run] models = ..."),
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


_COMMANDS: Final[dict[str, tuple[tuple[str, Callable[..., None], str], ...]]] = {
    "Separate and score": (
        ("run", run.run, "bench run --models spleeter,irm --limit 2"),
        ("separate", separate.separate, "bench separate song.wav --model spleeter:4stems"),
        ("score", score.score, "bench score --references true/ --estimates separated/"),
        ("train", train.train, "bench train zipformer:tiny --option steps=1000"),
        (
            "adapt",
            adapt.adapt,
            "bench adapt zipformer:tiny --examples my-guitar --stem guitar --out guitar",
        ),
    ),
    "Judge results": (
        ("report", results.report, "bench report results --baseline spleeter:2stems"),
        ("compare", results.compare, "bench compare results@spleeter results@zipformer"),
        ("gate", results.gate, "bench gate --baseline baseline.parquet --results results"),
        ("agreement", results.agreement, "bench agreement ratings --target vocals"),
    ),
    "Look and check": (
        ("list", inspect.list_, "bench list models --stems vocals,drums"),
        ("show", inspect.show, "bench show bsseval-v4"),
        ("doctor", inspect.doctor, "bench doctor spleeter"),
        ("verify", inspect.verify, "bench verify results --sample 10"),
    ),
    "Install and extend": (
        ("install", setup.install, "bench install demucs"),
        ("new", setup.new, "bench new model my-model"),
        ("compact", setup.compact, "bench compact results"),
    ),
    "Exchange results": (
        ("import", exchange.import_, "bench import museval evaluation/ --source mine"),
        ("export", exchange.export, "bench export latex --out table.tex"),
        ("submit", board.submit, "bench submit results --out bundle"),
        ("check", board.check, "bench check bundle --rules board.toml"),
    ),
}
"""Section -> name, function and example of each command."""

for _section, _commands in _COMMANDS.items():
    for _name, _function, _example in _commands:
        add_command(app, _function, _example, section=_section, name=_name)
