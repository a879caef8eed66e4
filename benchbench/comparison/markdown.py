"""Escape untrusted text for Markdown: a name cannot end a cell or become a link, markup or mention."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from benchbench.io.terminal import printable

__all__ = ["markdown_code", "markdown_text"]

_MARKUP: Final = re.compile(r"([\\`*_\[\]|~])")


def markdown_text(text: str) -> str:
    r"""Escape a text for a table cell or a sentence.

    Examples
    --------
    >>> markdown_text("a|b <img> [x](y) @me")
    'a\\|b &lt;img&gt; \\[x\\](y) &#64;me'
    """
    plain = printable(text, keep="").replace("\\n", " ")
    return _MARKUP.sub(r"\\\1", escape(plain, quote=False)).replace("@", "&#64;")


def markdown_code(text: str) -> str:
    """A text as inline code; backticks in it become apostrophes.

    Examples
    --------
    >>> markdown_code("a`b")
    "`a'b`"
    """
    return "`" + printable(text, keep="").replace("`", "'") + "`"
