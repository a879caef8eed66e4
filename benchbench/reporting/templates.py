"""The templates of the report: filters, the page's script, and the data it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from benchbench.plugins.bundled import folder
from benchbench.plugins.templates import environment, render_page
from benchbench.reporting import formatting as wording
from benchbench.reporting.figures.shapes import shape

__all__ = ["bundle", "data_block", "render"]

_IMPORT = re.compile(r"^import\s.*?;\n", re.MULTILINE | re.DOTALL)
_FROM = re.compile(r'^import\s[^;]*?from\s+"\./([\w-]+\.js)";', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|const|class|let)\b)", re.MULTILINE)


def render(template: str, /, **context: Any) -> str:
    """Render a template of the report with its style and script."""
    return render_page(_templates(), template, style="report.css", script=_script(), **context)


@cache
def _script() -> str:
    """The page's script; a site has hundreds of pages with the same one."""
    return bundle(folder("reports") / "static", "report.js")


@cache
def _templates() -> jinja2.Environment:
    """The templates with the filters of the report."""
    templates = environment()
    templates.filters.update(
        db=wording.decibels,
        signed=wording.signed,
        percent=wording.percent,
        size=wording.megabytes,
        millions=wording.number_of_parameters,
        pace=wording.pace,
        listed=wording.listed,
        p=wording.probability,
        clock=wording.clock,
        in_unit=wording.in_unit,
        after_comma=wording.after_comma,
    )
    templates.globals.update(count=wording.count, shape=shape)
    return templates


def bundle(folder: Path, entry: str) -> str:
    """Join ES modules into one: imports first, in the order in which they are needed.

    A page opened from disk cannot load modules, so they become one script. Every module must import
    with ``import { a, b } from "./name.js";``, and no two may declare the same name at top level.
    """
    done: dict[str, str] = {}
    _add(folder, entry, done)
    return "".join(done.values())


def _add(folder: Path, name: str, done: dict[str, str]) -> None:
    if name in done:
        return
    source = (folder / name).read_text(encoding="utf-8")
    for other in _FROM.findall(source):
        _add(folder, other, done)
    done[name] = _EXPORT.sub("", _IMPORT.sub("", source))


def data_block(value: Mapping[str, Any]) -> Markup:
    """JSON for a script element: every ``<`` is escaped, so that it cannot close the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    for point in (0x2028, 0x2029):
        text = text.replace(chr(point), f"\\u{point:04x}")
    return Markup(text)  # noqa: S704
