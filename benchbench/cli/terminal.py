"""The width of the terminal, and text that fits it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import Final

__all__ = ["cut", "width", "wrapped"]

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
