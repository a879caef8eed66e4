"""The commands that inspect and prepare: list, show, new, doctor, install, verify, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.completion import complete_name
from benchbench.cli.flags import AdapterPath, MetricPath, Root, one_of, words
from benchbench.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("list")(list_)
    app.command()(show)
    app.command()(new)
    app.command()(doctor)
    app.command()(compact)
    app.command()(install)
    app.command()(report)
    app.command()(verify)


def list_(
    what: Annotated[str, typer.Argument(help="models, datasets, metrics or runs.")],
    out: Annotated[Path, typer.Option(help="The results' folder, for runs.")] = Path("results"),
    stems: Annotated[
        str, typer.Option(help="Only models with these stems, joined by commas.")
    ] = "",
    format: Annotated[str, typer.Option(help="table or json.")] = "table",
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """List models, datasets, metrics or runs."""
    from benchbench.cli.listing import listing

    form = one_of("--format", format, ("table", "json"))
    typer.echo(listing(what, out, adapter_path, form=form, stems=words(stems)))


def new(
    kind: Annotated[str, typer.Argument(help="model, dataset or metric.")],
    name: Annotated[str, typer.Argument(help="Its name, such as my-model.")],
    out: Annotated[Path, typer.Option(help="Where to put it.")] = Path(),
) -> None:
    """Write a working folder to start a model, a data set or a metric from."""
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


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A model, a data set, a metric or a run.", autocompletion=complete_name
        ),
    ],
    out: Annotated[Path, typer.Option(help="The results' folder, for runs.")] = Path("results"),
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Explain a model, a data set, a metric or a run."""
    from benchbench.cli.description import description

    typer.echo(description(name, out, adapter_path))


def doctor(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A model, a data set, a metric or a results folder; nothing: this machine."
        ),
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Set damaged results aside.")] = False,
    root: Root = None,
    adapter_path: AdapterPath = [],  # noqa: B006
    metric_path: MetricPath = [],  # noqa: B006
) -> None:
    """Check the installation, a model's contract, a data set or results."""
    from benchbench.api.doctor import doctor as examine
    from benchbench.cli.progress import RunDisplay

    bad = 0
    for check in examine(
        name,
        repair=repair,
        root=root,
        adapter_paths=adapter_path,
        metric_paths=metric_path,
        listener=RunDisplay(),
    ):
        bad += not check.ok
        word = "skip" if check.skipped else "ok  " if check.ok else "BAD "
        detail = check.detail.replace("\n", "\n     ")
        typer.echo(f"{word} {check.name}" + (f": {detail}" if detail else ""))
    if bad:
        raise typer.Exit(5 if name and (Path(name) / "runs").is_dir() else 4)


def compact(
    results: Annotated[Path, typer.Argument(help="The results' folder.")] = Path("results"),
) -> None:
    """Put many small parts of results together; safe to kill."""
    from benchbench.api.compact import compact as put_together

    done = put_together(results, tell=lambda text: typer.echo(text, err=True))
    typer.echo(f"{done.before} parts are now {done.after}.")


def install(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A model or a data set; nothing: list the environments that are built."
        ),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove it and give back space.")
    ] = False,
    download_python: Annotated[
        bool, typer.Option("--download-python", help="Let uv download a Python that is missing.")
    ] = False,
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Fetch a model's environment and weights, or a data set; list or remove them."""
    from benchbench.api.install import install as fetch
    from benchbench.api.install import installed_environments, uninstall

    def tell(text: str) -> None:
        typer.echo(text, err=True)

    if name is None:
        if remove:
            raise UsageError("--remove needs the name of what to remove.")
        from benchbench.cli.description import environments_table

        typer.echo(environments_table(installed_environments(adapter_path)))
    elif remove:
        freed = uninstall(name, adapter_paths=adapter_path, tell=tell)
        typer.echo(f"{freed / 1e6:.0f} MB given back.")
    else:
        path = fetch(name, adapter_paths=adapter_path, tell=tell, download_python=download_python)
        typer.echo(str(path) if path else f"{name} is ready.")


def report(
    results: Annotated[list[Path] | None, typer.Argument(help="Results' folders.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A file, or a folder (ending in /) for a site.")
    ] = None,
    audio: Annotated[str, typer.Option(help="none, excerpts or full.")] = "excerpts",
    models: Annotated[str | None, typer.Option(help="Only these models.")] = None,
    baseline: Annotated[str | None, typer.Option(help="The model to compare with.")] = None,
) -> None:
    """Render the comparison page of some results."""
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
    )
    typer.echo(str(page))


def verify(
    results: Annotated[Path, typer.Argument(help="The results' folder.")] = Path("results"),
    sample: Annotated[int, typer.Option(help="How many separations to look at.", min=1)] = 5,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
    root: Root = None,
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Recompute a sample of stored scores with museval, mir_eval and fast_bss_eval."""
    from benchbench.api.verify import verify as recompute
    from benchbench.cli.progress import RunDisplay
    from benchbench.cli.verification_table import differences_table

    with RunDisplay() as display:
        differences = recompute(
            results, sample=sample, seed=seed, root=root, adapter_paths=adapter_path,
            listener=display,
        )  # fmt: skip
    typer.echo(differences_table(differences))
    if not all(line.passed for line in differences if line.judged):
        raise typer.Exit(1)
