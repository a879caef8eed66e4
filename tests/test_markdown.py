"""Untrusted text in Markdown stays text, as a real renderer shows it."""

from __future__ import annotations

import re
from html import unescape

import pytest

from benchbench.comparison.markdown import markdown_code, markdown_text

markdown = pytest.importorskip("markdown_it")

EVIL = [
    "a|b", "a\\|b", "`code`", "``", "*bold*", "_it_", "[x](javascript:alert(1))", "![x](http://e/x)",
    "<img src=x onerror=alert(1)>", "<!-- x", "&lt;b&gt;", "@everyone", "~~gone~~", "# title",
    "- item", "1. item", "line\nbreak", "a\rb", "\x1b[31mred", "tab\there", "a\u202eb", "https://e.example",
    "www.e.example", "\\", "a\\", "``x`", "$x$", "| a | b |", "\u2028", "end\0",
]  # fmt: skip


def rendered(text: str) -> str:
    made = markdown.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return str(made)


def cells(text: str) -> list[str]:
    html = rendered(f"| name | value |\n|---|---|\n| {text} | 1.0 |\n")
    return re.findall(r"<td>(.*?)</td>", html, re.DOTALL)


@pytest.mark.parametrize("text", EVIL)
def test_a_name_stays_in_its_cell_and_is_no_markup(text: str) -> None:
    found = cells(markdown_text(text))
    assert len(found) == 2
    assert found[1] == "1.0"
    assert not re.search(r"<(?!/?$)", found[0]), found[0]
    shown = unescape(found[0])
    assert not re.search(r"[\x00-\x1f\x1b\u202e\u2028]", shown)
    plain = re.sub(r"[\s\x00-\x1f]+", " ", text)
    if plain == text and text.isprintable():
        assert shown == text.strip()


@pytest.mark.parametrize("text", EVIL)
def test_inline_code_ends_where_it_should(text: str) -> None:
    html = rendered(f"before {markdown_code(text)} after")
    assert html.count("<code>") == 1 or not text.strip("` ")
    assert html.startswith("<p>before ")
    assert html.rstrip().endswith(" after</p>")
    assert "<img" not in html
    assert "<a " not in html


def test_plain_names_are_unchanged() -> None:
    assert markdown_text("spleeter:2stems") == "spleeter:2stems"
    assert markdown_text("Björk - 曲 (live)") == "Björk - 曲 (live)"
    assert markdown_code("spleeter:2stems") == "`spleeter:2stems`"


def test_nobody_is_mentioned() -> None:
    assert "@" not in markdown_text("@user and a@b")
