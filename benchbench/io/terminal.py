"""Text of strangers for a terminal: nothing in it moves the cursor, rings or hides anything."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["printable", "shortened"]

_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"
)
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = frozenset("\u200c\u200d")
"""Format characters without which words of some languages are spelled wrongly."""


def printable(text: str, *, keep: str = "\n\t") -> str:
    """A text whose control characters are shown as escapes and whose escape sequences are gone.

    Parameters
    ----------
    text
        Any text.
    keep
        Control characters that stay.

    Examples
    --------
    >>> printable("a\\x1b[2Jb\\x07\\u202ec")
    'ab\\\\x07\\\\u202ec'
    """
    if text.isprintable():
        return text
    text = _SEQUENCE.sub("", text)
    return "".join(
        sign if sign in keep or sign in _JOINERS or _shown(sign) else _escaped(sign)
        for sign in text
    )


def _shown(sign: str) -> bool:
    return unicodedata.category(sign) not in _HIDDEN


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")


def shortened(text: str, size: int) -> str:
    """A text of at most `size` characters; where it was cut, it says by how much."""
    if len(text) <= size:
        return text
    return f"{text[:size]}... ({len(text) - size} further characters)"
