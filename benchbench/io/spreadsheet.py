"""Escape text so that a spreadsheet does not run it as a formula."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["plain_cell", "spreadsheet_safe"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_GUARDED: Final = re.compile(r"'(?=[=+\-@\t\r])")


def spreadsheet_safe(text: str) -> str:
    """The text of a cell, with an apostrophe before text that a spreadsheet would run as a formula.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("vocals")
    ("'=1+1", 'vocals')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain_cell(text: str) -> str:
    """The original text of a cell that `spreadsheet_safe` has escaped."""
    return text[1:] if _GUARDED.match(text) else text
