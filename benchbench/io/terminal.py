"""Make untrusted text safe for a terminal: no cursor movement, no bell, no hidden text."""

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
"""Format characters that the spelling of some languages needs."""


def printable(text: str, *, keep: str = "\n\t") -> str:
    """A text with control characters shown as escapes and without escape sequences.

    Parameters
    ----------
    text
        Any text.
    keep
        Control characters to keep.

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
    """A text of at most `size` characters; if it was cut, it states by how much."""
    if len(text) <= size:
        return text
    return f"{text[:size]}... ({len(text) - size} further characters)"
