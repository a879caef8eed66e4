"""What is printed: text without control characters, that fits the width of the terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import Final

import typer

from benchbench.io.terminal import printable

__all__ = ["cut", "say", "say_json", "width", "wrapped"]

WIDEST: Final = 120
IN_A_PIPE: Final = 100


def width() -> int:
    """Characters per line: the width of the terminal, at most 120; 100 in a pipe.

    The environment variable ``COLUMNS`` overrides the width in both cases.
    """
    if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty():
        return min(WIDEST, max(40, shutil.get_terminal_size().columns))
    return IN_A_PIPE


def cut(line: str, columns: int | None = None) -> str:
    """A line that fits the terminal; its end is replaced by an ellipsis where it is too long."""
    room = columns or width()
    return line if len(line) <= room else f"{line[: room - 1].rstrip()}…"


def wrapped(sentences: Iterable[str], columns: int | None = None) -> str:
    """Sentences as one paragraph that fits the terminal."""
    text = " ".join(sentence for sentence in sentences if sentence)
    return textwrap.fill(text, columns or width(), break_long_words=False, break_on_hyphens=False)


def say(text: str, *, err: bool = False) -> None:
    """Print a text, which may hold names from anywhere, with control characters as escapes.

    Parameters
    ----------
    text
        The text.
    err
        Whether it goes to standard error.
    """
    typer.echo(printable(text), err=err)


def say_json(text: str) -> None:
    """Print JSON; characters that a terminal would not show are escaped, which keeps their value."""
    typer.echo(
        "".join(
            sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text
        )
    )
