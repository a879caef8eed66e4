"""Read TOML of strangers: of limited size and depth, from plain files only."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from benchbench.errors import ManifestError

__all__ = ["parse_toml", "read_toml", "toml_text"]

LONGEST: Final = 1 << 20
"""Maximum bytes of a file."""

MOST_DOTS: Final = 500
"""Dots outside of text in one line. Python's parser takes time that grows with their square."""

_TEXT: Final = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary.

    Raises
    ------
    ManifestError
        When it is not valid TOML (names the line), no plain file, or too large.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise OSError("it is no plain file")
        if facts.st_size > LONGEST:
            raise OSError(f"it has {facts.st_size} bytes; at most {LONGEST} are read")
        with path.open("rb") as file:
            data = file.read(LONGEST)
        return parse_toml(data.decode("utf-8").replace(os.linesep, "\n"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path} cannot be read: {error}.") from error


def parse_toml(text: str) -> dict[str, Any]:
    """TOML as a dictionary.

    Raises
    ------
    ValueError
        When it is not valid, is nested too deeply, or holds a number or a key that is too long.

    Examples
    --------
    >>> parse_toml("a.b = 1")
    {'a': {'b': 1}}
    """
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters; at most {LONGEST} are read")
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MOST_DOTS and _TEXT.sub("", line).count(".") > MOST_DOTS:
            raise ValueError(f"line {number} has a key of more than {MOST_DOTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def toml_text(value: str) -> str:
    """A text as a basic string of TOML; bytes of a file name that are no text become ``?``.

    Examples
    --------
    >>> parse_toml("a = " + toml_text("\U0001f3b8 \\"x\\"\\n"))
    {'a': '🎸 "x"\\n'}
    """
    text = json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")
