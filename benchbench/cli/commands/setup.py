"""``bench new``, ``install`` and ``compact``: write, download and tidy up files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from benchbench.cli.flags import AdapterPath, JsonFormat
from benchbench.cli.terminal import say, say_json
from benchbench.cli.values import one_of
from benchbench.errors import UsageError

__all__ = ["compact", "install", "new"]


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="model, dataset or metric.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name, such as my-model.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write it.")] = Path(),
) -> None:
    """Write a working example of a model, a data set or a metric, to edit."""
    from benchbench.api.new import new as write

    folder = write(kind, name, out)
    typer.echo(str(folder))
    for path in sorted(folder.iterdir()):
        typer.echo(f"  {path.name}")
    step = {
        "model": f"bench doctor {name}",
        "dataset": f"bench doctor {name} --root FOLDER",
        "metric": f"bench doctor {folder}",
    }
    typer.echo(f"Next: {step[kind]}")


def install(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A model or a data set; without it: list the installed environments.",
        ),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove it, to free disk space.")
    ] = False,
    download_python: Annotated[
        bool, typer.Option("--download-python", help="Let uv download a missing Python version.")
    ] = False,
    format: JsonFormat = "table",
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Download a model's environment and weights, or a data set; list or remove them."""
    from benchbench.api.install import install as download
    from benchbench.api.install import installed_environments, uninstall
    from benchbench.cli.progress import RunDisplay
    from benchbench.running.events import callbacks

    as_json = one_of("--format", format, ("table", "json")) == "json"
    if name is None:
        if remove:
            raise UsageError("--remove needs the name of what to remove.")
        from benchbench.cli.tables.environments import environment_facts, environments_table

        environments = installed_environments(adapter_path)
        if as_json:
            facts = list(map(environment_facts, environments))
            say_json(json.dumps(facts, indent=1, ensure_ascii=False))
        else:
            say(environments_table(environments))
        return
    fact: dict[str, Any]
    with RunDisplay() as display:
        tell, progress = callbacks(display)
        if remove:
            freed = uninstall(name, adapter_paths=adapter_path, tell=tell)
            outcome, fact = f"{freed / 1e6:.0f} MB freed.", {"name": name, "freed_bytes": freed}
        else:
            path = download(
                name,
                adapter_paths=adapter_path,
                tell=tell,
                progress=progress,
                download_python=download_python,
            )
            outcome = str(path) if path else f"{name} is ready."
            fact = {"name": name, "folder": str(path) if path else None}
    if as_json:
        say_json(json.dumps(fact, indent=1, ensure_ascii=False))
    else:
        say(outcome)


def compact(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results folder.")] = Path(
        "results"
    ),
) -> None:
    """Merge the many small files of a results folder; safe to interrupt."""
    from benchbench.api.compact import compact as merge

    merged = merge(results, tell=lambda text: say(text, err=True))
    typer.echo(f"{merged.before} parts are now {merged.after}.")
