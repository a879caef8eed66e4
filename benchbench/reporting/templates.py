"""Templates, styles and scripts become one page that needs nothing else.

The page may run exactly the script and the style that it was made with: a Content-Security-Policy
names both by their hashes, so that no track or model name can ever become code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from benchbench.plugins.bundled import folder
from benchbench.reporting import formatting as wording
from benchbench.reporting.figures.shapes import shape

__all__ = ["bundle", "data_block", "render"]

_IMPORT = re.compile(r"^import\s.*?;\n", re.MULTILINE | re.DOTALL)
_FROM = re.compile(r'^import\s[^;]*?from\s+"\./([\w-]+\.js)";', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|const|class|let)\b)", re.MULTILINE)


def render(template: str, /, **context: Any) -> str:
    """Render a template with style and script inlined and the policy that admits only them."""
    root = folder("reports")
    style = (root / "static" / "report.css").read_text(encoding="utf-8")
    script = bundle(root / "static", "report.js")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "media-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return (
        environment(root)
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            policy=policy,
            **context,
        )
    )


def environment(root: Path) -> jinja2.Environment:
    """Templates that escape everything and refuse names that they were not given."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        db=wording.decibels,
        signed=wording.signed,
        percent=wording.percent,
        size=wording.megabytes,
        millions=wording.number_of_parameters,
        times=wording.times,
        listed=wording.listed,
        p=wording.probability,
        clock=wording.clock,
    )
    made.globals.update(count=wording.count, shape=shape)
    return made


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def bundle(folder: Path, entry: str) -> str:
    """Join ES modules into one: imports first, in the order in which they are needed.

    A page opened from disk cannot load modules, so they become one script. That asks of them only
    that each imports by ``import { a, b } from "./name.js";`` and that no two declare the same
    name at their top level.
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
    """JSON that may stand inside a script element: no ``<`` is left in it to close the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    for point in (0x2028, 0x2029):
        text = text.replace(chr(point), f"\\u{point:04x}")
    return Markup(text)  # noqa: S704
