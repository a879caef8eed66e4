"""``bench adapt``: teach a model a stem from a few songs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.flags import AdapterPath
from benchbench.cli.terminal import say
from benchbench.cli.values import parse_options

__all__ = ["adapt"]


def adapt(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="adapter or adapter:variant, such as zipformer:tiny."),
    ],
    examples: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="One folder for each song, with STEM.wav and mixture.wav."
        ),
    ],
    stem: Annotated[str, typer.Option(metavar="STEM", help="The stem to learn, such as guitar.")],
    out: Annotated[
        Path, typer.Option(metavar="NAME", help="The new model's name, or a path for its folder.")
    ],
    require_gain: Annotated[
        bool,
        typer.Option("--require-gain", help="Exit with 1 unless the unadapted model is beaten."),
    ] = False,
    weights: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Weights of the model to start from.")
    ] = None,
    option: Annotated[
        list[str],
        typer.Option(
            "--option", metavar="NAME=VALUE", help="Such as steps=200 or beside=other; repeatable."
        ),
    ] = [],  # noqa: B006
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Teach a model a stem from one to ten songs, and print the new model's folder."""
    from benchbench.api.adapt import adapt as learn
    from benchbench.cli.tables.adaptation import adaptation_table

    adapted = learn(
        model, examples, stem, out=out, weights=weights, options=parse_options(option),
        adapter_paths=adapter_path, tell=lambda text: say(text, err=True),
    )  # fmt: skip
    say(adaptation_table(adapted), err=True)
    say(str(adapted.folder))
    if require_gain and not adapted.is_better:
        raise typer.Exit(1)
