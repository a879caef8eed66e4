"""What the verbs of the command line have in common when they read their flags."""

from __future__ import annotations

from typing import Any

from benchbench.errors import UnknownNameError

__all__ = ["one_of", "words"]


def words(text: str) -> list[str]:
    """Words joined by commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def one_of(flag: str, value: str, known: tuple[str, ...]) -> Any:
    """The value, if it is one that the flag knows.

    Raises
    ------
    UnknownNameError
        With the closest one.
    """
    if value not in known:
        raise UnknownNameError("value", value, known, where=f" of {flag}")
    return value
