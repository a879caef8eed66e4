"""``bench submit`` and ``check``: a bundle of results for a leaderboard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.terminal import say
from benchbench.cli.values import words

__all__ = ["check", "submit"]


def submit(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results folder.")],
    out: Annotated[
        Path, typer.Option(metavar="PATH", help="The bundle to write: a folder, or a .zip file.")
    ],
    dataset: Annotated[
        str | None, typer.Option(metavar="DATASET", help="The data set, if there are several.")
    ] = None,
    models: Annotated[
        str | None, typer.Option(metavar="MODELS", help="Only these models, joined by commas.")
    ] = None,
    submitter: Annotated[
        str, typer.Option(metavar="NAME", help="A name to show beside the rows.")
    ] = "",
    licence: Annotated[
        str, typer.Option(metavar="LICENCE", help="The licence of the numbers.")
    ] = "CC-BY-4.0",
    note: Annotated[str, typer.Option(metavar="TEXT", help="A remark for readers.")] = "",
    excerpts: Annotated[
        int,
        typer.Option(
            metavar="NUMBER", help="Tracks with an excerpt of audio; 0: none.", min=0, max=1000
        ),
    ] = 3,
    seconds: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Length of an excerpt in seconds.", min=1, max=600),
    ] = 10.0,
    sign: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help="Sign with this SSH key, such as ~/.ssh/id_ed25519."),
    ] = None,
) -> None:
    """Write results as a bundle that a leaderboard can check."""
    from benchbench.api.board.submit import submit as write

    def tell(text: str) -> None:
        say(text, err=True)

    path = write(
        results,
        out,
        dataset=dataset,
        models=words(models) if models else (),
        submitter=submitter,
        licence=licence,
        note=note,
        excerpts=excerpts,
        seconds=seconds,
        sign=sign,
        tell=tell,
    )
    say(f"{path}; check it with `bench check {path}`.")


def check(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="The bundle: a folder or a .zip file.")
    ],
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The rules of a board, board.toml.")
    ] = None,
    board: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The results folder of what is on the board."),
    ] = None,
    allowed_signers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Names and public keys, as ssh-keygen reads them."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings do not pass.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML here.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JSON here.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page here.")] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Append Markdown here; by default to $GITHUB_STEP_SUMMARY, if set."
        ),
    ] = None,
) -> None:
    """Check a bundle: exit code 0 accepted, 1 a rule is broken, 5 damaged or hostile."""
    from benchbench.api.board.check import check as examine
    from benchbench.comparison.submission_reports import check_text, write_check_reports

    result = examine(bundle, rules=rules, board=board, allowed_signers=allowed_signers)
    step = os.environ.get("GITHUB_STEP_SUMMARY")
    write_check_reports(
        result,
        junit=junit,
        summary=summary or (Path(step) if step else None),
        json_file=json,
        html=html,
    )
    say(check_text(result).rstrip("\n"))
    code = result.exit_code or (1 if strict and result.count("warning") else 0)
    if code:
        raise typer.Exit(code)
