"""``bench train``: train or fine-tune a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.flags import AdapterPath, Root
from benchbench.cli.terminal import say
from benchbench.cli.values import parse_options, words

__all__ = ["train"]


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="adapter or adapter:variant.")],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="A data set with stems; default synth, or none with --songs."
        ),
    ] = None,
    songs: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="A folder of songs without stems, if the recipe uses them."
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="The run's folder; the same folder again resumes the run."
        ),
    ] = Path("trained"),
    root: Root = None,
    split: Annotated[
        str | None, typer.Option(metavar="SPLIT", help="A split; default train.")
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(metavar="TRACKS", help="Tracks kept for validation, joined by commas."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Weights to start from.")
    ] = None,
    option: Annotated[
        list[str],
        typer.Option(
            "--option",
            metavar="NAME=VALUE",
            help="Set an option of the recipe, such as steps=1000; repeatable.",
        ),
    ] = [],  # noqa: B006
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Train or fine-tune a model on a data set, and print the folder of its weights."""
    from benchbench.api.train import train as learn

    folder = learn(
        model, dataset, songs=songs, out=out, root=root, split=split,
        validation=words(validation) if validation is not None else None,
        weights=weights, options=parse_options(option), adapter_paths=adapter_path,
        tell=lambda text: say(text, err=True),
    )  # fmt: skip
    say(str(folder))
