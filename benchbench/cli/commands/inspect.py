"""``bench list``, ``show``, ``doctor`` and ``verify``: look at what is there, and check it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.completion import complete_name
from benchbench.cli.flags import AdapterPath, JsonFormat, MetricPath, Root
from benchbench.cli.terminal import say, say_json
from benchbench.cli.values import one_of, words

__all__ = ["doctor", "list_", "show", "verify"]

FORMS = ("table", "json")

RunsFolder = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="The results folder, for runs.")
]


def list_(
    what: Annotated[str, typer.Argument(metavar="KIND", help="models, datasets, metrics or runs.")],
    out: RunsFolder = Path("results"),
    stems: Annotated[
        str,
        typer.Option(metavar="STEMS", help="Only models with these stems, joined by commas."),
    ] = "",
    format: JsonFormat = "table",
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """List models, datasets, metrics or runs."""
    from benchbench.cli.listing import listing

    form = one_of("--format", format, FORMS)
    text = listing(what, out, adapter_path, form=form, stems=words(stems))
    say_json(text) if form == "json" else say(text)


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A model, a data set, a metric or a run.",
            autocompletion=complete_name,
        ),
    ],
    out: RunsFolder = Path("results"),
    format: JsonFormat = "table",
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Describe a model, a data set, a metric or a run."""
    from benchbench.cli.description import description
    from benchbench.cli.lookup import facts_of

    if one_of("--format", format, FORMS) == "json":
        facts = facts_of(name, out, adapter_path)
        say_json(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        say(description(name, out, adapter_path))


def doctor(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A model, a data set, a metric or a results folder; without it: this machine.",
        ),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Move damaged results into FOLDER/damaged.")
    ] = False,
    root: Root = None,
    format: JsonFormat = "table",
    adapter_path: AdapterPath = [],  # noqa: B006
    metric_path: MetricPath = [],  # noqa: B006
) -> None:
    """Check this machine, or a model, a data set, a metric or results."""
    from benchbench.api.doctor import doctor as examine
    from benchbench.cli.progress import RunDisplay
    from benchbench.cli.tables.checks import check_facts, check_line

    as_json = one_of("--format", format, FORMS) == "json"
    checks = []
    for check in examine(
        name,
        repair=repair,
        root=root,
        adapter_paths=adapter_path,
        metric_paths=metric_path,
        listener=RunDisplay(),  # without its bar: checks are printed as they come
    ):
        checks.append(check)
        if not as_json:
            say(check_line(check))
    if as_json:
        say_json(json.dumps(list(map(check_facts, checks)), indent=1, ensure_ascii=False))
    if not all(check.ok for check in checks):
        raise typer.Exit(5 if name and (Path(name) / "runs").is_dir() else 4)


def verify(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results folder.")] = Path(
        "results"
    ),
    sample: Annotated[
        int, typer.Option(metavar="N", help="Number of separations to check.", min=1)
    ] = 5,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the random sample.")] = 0,
    root: Root = None,
    format: JsonFormat = "table",
    adapter_path: AdapterPath = [],  # noqa: B006
) -> None:
    """Recompute a sample of stored scores with museval, mir_eval and fast_bss_eval."""
    from benchbench.api.verify import verify as recompute
    from benchbench.cli.progress import RunDisplay
    from benchbench.cli.tables.verification import difference_facts, differences_table

    form = one_of("--format", format, FORMS)
    with RunDisplay() as display:
        differences = recompute(
            results, sample=sample, seed=seed, root=root, adapter_paths=adapter_path,
            listener=display,
        )  # fmt: skip
    if form == "json":
        say_json(json.dumps(list(map(difference_facts, differences)), indent=1))
    else:
        say(differences_table(differences))
    if not all(line.passed for line in differences if line.judged):
        raise typer.Exit(1)
