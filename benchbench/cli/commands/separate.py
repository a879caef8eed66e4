"""``bench separate``: separate files into stems."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.flags import (
    AdapterPath,
    AllowTruncated,
    Device,
    MemoryLimit,
    Model,
    Options,
    Quiet,
    Timeout,
    Verbose,
    Weights,
)
from benchbench.cli.help import RESULTS
from benchbench.cli.terminal import say
from benchbench.cli.values import limits, one_of, parse_options, verbosity
from benchbench.errors import BenchbenchError

__all__ = ["separate"]


def separate(
    inputs: Annotated[list[Path], typer.Argument(metavar="FILE", help="Audio files.")],
    model: Model = "spleeter",
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="The folder for the stems.", rich_help_panel=RESULTS),
    ] = Path("separated"),
    weights: Weights = None,
    device: Device = "auto",
    option: Options = [],  # noqa: B006
    adapter_path: AdapterPath = [],  # noqa: B006
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
    allow_truncated: AllowTruncated = False,
    resume: Annotated[
        str,
        typer.Option(
            metavar="only-missing|always",
            help="only-missing: keep what this model has separated; always: all again.",
            rich_help_panel=RESULTS,
        ),
    ] = "only-missing",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Separate files into float WAV stems, one folder per track."""
    from benchbench.cli.progress import RunDisplay

    failures: dict[Path, BenchbenchError] = {}

    with RunDisplay(verbosity(quiet, verbose)) as display:
        from benchbench.api.separate import separate as separate_files

        separated = separate_files(
            model,
            inputs,
            out,
            weights=weights,
            device=one_of("--device", device, ("auto", "cpu", "gpu")),
            options=parse_options(option),
            adapter_paths=adapter_path,
            limits=limits(timeout, memory_limit),
            allow_truncated=allow_truncated,
            resume=one_of("--resume", resume, ("only-missing", "always")),
            listener=display,
            on_failure=failures.__setitem__,
        )
    for stems in separated.values():
        for path in stems.values():
            typer.echo(os.fsencode(path))
    if len(inputs) == 1 and failures:
        raise failures[inputs[0]]
    for source, error in failures.items():
        say(f"{source} was not separated: {error}", err=True)
    if failures:
        raise typer.Exit(4)
