"""The command line: verbs and their flags; each hands over to a function of `benchbench`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from benchbench import cli_results
from benchbench.errors import UnknownNameError, UsageError
from benchbench.flags import one_of, words

__all__ = ["app"]

DEFAULT_MODELS = "spleeter,irm,mixture,silence"

app = typer.Typer(
    name="bench",
    help="Evaluate, compare and gate music source separation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AdapterPath = Annotated[
    list[Path], typer.Option("--adapter-path", help="Search this folder for adapters first.")
]
Weights = Annotated[
    Path | None, typer.Option(help="A folder with weights of your own, for one model.")
]
Device = Annotated[str, typer.Option(help="auto, cpu or gpu.")]
Options = Annotated[
    list[str], typer.Option("--option", help="An adapter's option, as name=value; repeatable.")
]
Timeout = Annotated[
    float | None, typer.Option(help="Seconds that one separation may take.", min=0.1)
]
MemoryLimit = Annotated[
    float | None, typer.Option(help="Megabytes that a separator may use.", min=1)
]
Metrics = Annotated[str, typer.Option(help="Protocols or groups, joined by commas.")]
Root = Annotated[Path | None, typer.Option(help="The data set's folder.")]


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
        context.default_map = _read_config(config, context)


@app.command()
def run(
    models: Annotated[
        str, typer.Option(help="adapter or adapter:variant, joined by commas.")
    ] = DEFAULT_MODELS,
    dataset: Annotated[str, typer.Option(help="A data set.")] = "demo",
    metrics: Metrics = "report",
    out: Annotated[Path, typer.Option(help="The results' folder.")] = Path("results"),
    root: Root = None,
    split: Annotated[str | None, typer.Option(help="A split of the data set, or all.")] = None,
    tracks: Annotated[str | None, typer.Option(help="Only these tracks, joined by commas.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many tracks.", min=1)] = None,
    jobs: Annotated[
        int, typer.Option(help="1: all in turn, clean timings; more: scoring overlaps.", min=1)
    ] = 1,
    resume: Annotated[
        str,
        typer.Option(
            help="only-missing: compute what is not stored; never: compute all again; "
            "always: compute nothing, fail if anything is missing."
        ),
    ] = "only-missing",
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try failed ones again.")
    ] = False,
    weights: Weights = None,
    device: Device = "auto",
    option: Options = [],  # noqa: B006 - typer reads the default and makes a new list
    adapter_path: AdapterPath = [],  # noqa: B006
    keep_stems: Annotated[
        str,
        typer.Option(help="Keep stems for listening: yes, no, or auto (if the licence allows)."),
    ] = "auto",
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no page.")] = False,
) -> None:
    """Separate a data set with some models, score the stems, and write a report."""
    from benchbench.console import RunDisplay
    from benchbench.verbs.run import run as run_models

    with RunDisplay() as display:
        result = run_models(
            words(models),
            dataset,
            metrics=words(metrics),
            out=out,
            root=root,
            split=split,
            tracks=words(tracks) if tracks else None,
            limit=limit,
            jobs=jobs,
            resume=one_of("--resume", resume, ("only-missing", "always", "never")),
            retry_failed=retry_failed,
            weights=weights,
            device=one_of("--device", device, ("auto", "cpu", "gpu")),
            options=_parse_options(option),
            adapter_paths=adapter_path,
            keep_stems=one_of("--keep-stems", keep_stems, ("auto", "yes", "no")),
            limits=_limits(timeout, memory_limit),
            report=not no_report,
            listener=display,
            command=["bench", *sys.argv[1:]],
        )
    from benchbench.summary import summary

    typer.echo(summary(result.results, models=words(models), dataset=dataset))
    if result.report:
        typer.echo(f"Report: {result.report}")
    if result.tally.failed:
        raise typer.Exit(4)


@app.command()
def separate(
    inputs: Annotated[list[Path], typer.Argument(help="Audio files.")],
    model: Annotated[str, typer.Option(help="adapter or adapter:variant.")] = "spleeter",
    out: Annotated[Path, typer.Option(help="The folder for the stems.")] = Path("separated"),
    weights: Weights = None,
    device: Device = "auto",
    option: Options = [],  # noqa: B006
    adapter_path: AdapterPath = [],  # noqa: B006
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
) -> None:
    """Separate files into float WAV stems, one folder a track."""
    from benchbench.console import RunDisplay
    from benchbench.verbs.separate import separate as separate_files

    with RunDisplay() as display:
        made = separate_files(
            model,
            inputs,
            out,
            weights=weights,
            device=one_of("--device", device, ("auto", "cpu", "gpu")),
            options=_parse_options(option),
            adapter_paths=adapter_path,
            limits=_limits(timeout, memory_limit),
            listener=display,
        )
    for stems in made.values():
        for path in stems.values():
            typer.echo(str(path))


@app.command()
def score(
    references: Annotated[Path, typer.Option(help="A folder of true stems.")],
    estimates: Annotated[Path, typer.Option(help="A folder of separated stems.")],
    metrics: Metrics = "standard",
    format: Annotated[str, typer.Option(help="table, json, csv or parquet.")] = "table",
    out: Annotated[Path | None, typer.Option(help="Write here instead of to stdout.")] = None,
) -> None:
    """Score any folder of stems: no model, no data set."""
    form = one_of("--format", format, ("table", "json", "csv", "parquet"))
    if form == "parquet" and out is None:
        raise UsageError("Parquet is not text.", hint="Name a file with --out.")
    from benchbench.tables import written
    from benchbench.verbs.score import score as score_folder

    table = score_folder(
        references, estimates, metrics=words(metrics), tell=lambda t: typer.echo(t, err=True)
    )
    content = written(table, form)
    if out is None:
        typer.echo(content.decode("utf-8").rstrip("\n"))
    else:
        from benchbench.atomic import write_atomically

        write_atomically(out, lambda file: _fill(file, content))


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="models, datasets, metrics or runs.")],
    out: Annotated[Path, typer.Option(help="The results' folder, for runs.")] = Path("results"),
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """List models, datasets, metrics or runs."""
    from benchbench.describing import listing

    typer.echo(listing(what, out, adapter_path))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A model, a data set, a metric or a run.")],
    out: Annotated[Path, typer.Option(help="The results' folder, for runs.")] = Path("results"),
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Explain a model, a data set, a metric or a run."""
    from benchbench.describing import description

    typer.echo(description(name, out, adapter_path))


@app.command()
def doctor(
    name: Annotated[
        str | None,
        typer.Argument(help="A model, a data set or a results folder; nothing: this machine."),
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Set damaged results aside.")] = False,
    root: Root = None,
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Check the installation, a model's contract, a data set or results."""
    from benchbench.console import RunDisplay
    from benchbench.verbs.doctor import doctor as examine

    bad = 0
    for check in examine(
        name, repair=repair, root=root, adapter_paths=adapter_path, listener=RunDisplay()
    ):
        bad += not check.ok
        typer.echo(
            f"{'ok  ' if check.ok else 'BAD '} {check.name}"
            + (f": {check.detail}" if check.detail else "")
        )
    if bad:
        raise typer.Exit(5 if name and Path(name).is_dir() else 4)


@app.command()
def install(
    name: Annotated[str, typer.Argument(help="A model or a data set.")],
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Fetch a model's environment and weights, or a data set."""
    from benchbench.verbs.install import install as fetch

    path = fetch(name, adapter_paths=adapter_path, tell=lambda text: typer.echo(text, err=True))
    typer.echo(str(path) if path else f"{name} needs nothing.")


@app.command()
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
    from benchbench.verbs.report import report as render

    folders = results or [Path("results")]
    page = render(
        folders,
        out or folders[0] / "report.html",
        audio=one_of("--audio", audio, ("none", "excerpts", "full")),
        models=words(models) if models else None,
        baseline=baseline,
    )
    typer.echo(str(page))


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="adapter or adapter:variant.")],
    dataset: Annotated[str, typer.Option(help="A data set.")] = "synth",
    out: Annotated[Path, typer.Option(help="The run's folder; given again, it goes on.")] = Path(
        "trained"
    ),
    root: Root = None,
    split: Annotated[str | None, typer.Option(help="A split; default train.")] = None,
    validation: Annotated[
        str | None, typer.Option(help="Tracks kept for validation, joined by commas.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Weights to start from.")] = None,
    option: Annotated[
        list[str], typer.Option("--option", help="Of the recipe, such as steps=1000; repeatable.")
    ] = [],  # noqa: B006
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Train or fine-tune a model on a data set; prints the folder of its weights."""
    from benchbench.verbs.train import train as learn

    folder = learn(
        model, dataset, out=out, root=root, split=split,
        validation=words(validation) if validation is not None else None,
        weights=weights, options=_parse_options(option), adapter_paths=adapter_path,
        tell=lambda text: typer.echo(text, err=True),
    )  # fmt: skip
    typer.echo(str(folder))


@app.command()
def verify(
    results: Annotated[Path, typer.Argument(help="The results' folder.")] = Path("results"),
    sample: Annotated[int, typer.Option(help="How many separations to look at.", min=1)] = 5,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
    root: Root = None,
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Recompute a sample of stored scores with museval, mir_eval and fast_bss_eval."""
    from benchbench.console import RunDisplay
    from benchbench.summary import differences_table
    from benchbench.verbs.verify import verify as recompute

    found = recompute(
        results, sample=sample, seed=seed, root=root, adapter_paths=adapter_path,
        listener=RunDisplay(),
    )  # fmt: skip
    typer.echo(differences_table(found))
    if not all(one.passed for one in found):
        raise typer.Exit(1)


def _parse_options(pairs: list[str]) -> dict[str, bool | int | float | str]:
    """``name=value`` pairs; values are read as TOML reads them, else taken as text."""
    import tomllib

    options: dict[str, bool | int | float | str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"--option {pair}: name=value is needed.")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        options[name] = value if isinstance(value, bool | int | float) else text.strip("\"'")
    return options


def _limits(timeout: float | None, memory_mb: float | None) -> Any:
    from benchbench.separation import Limits

    memory = None if memory_mb is None else int(memory_mb * 1e6)
    if timeout is None:
        return Limits(memory_bytes=memory)
    return Limits(base_s=timeout, seconds_per_second=0.0, memory_bytes=memory)


def _read_config(path: Path, context: typer.Context) -> dict[str, dict[str, Any]]:
    """The defaults that a configuration file gives to each verb's flags."""
    from benchbench.manifest import read_toml

    commands = getattr(context.command, "commands", {})
    defaults: dict[str, dict[str, Any]] = {}
    for verb, flags in read_toml(path).items():
        if verb not in commands or not isinstance(flags, dict):
            raise UnknownNameError("verb", verb, commands, where=f" in {path}")
        known = {parameter.name for parameter in commands[verb].params}
        for flag, value in flags.items():
            name = flag.replace("-", "_")
            if name not in known:
                raise UnknownNameError("key", flag, known, where=f" in [{verb}] of {path}")
            joined = (
                ",".join(map(str, value)) if isinstance(value, list) and name in JOINED else value
            )
            defaults.setdefault(verb, {})[name] = joined
    return defaults


JOINED = {"models", "metrics", "tracks"}
"""Flags that take words joined by commas, and may be arrays in a configuration file."""


def _fill(file: Any, content: bytes) -> None:
    file.write(content)


cli_results.register(app)
