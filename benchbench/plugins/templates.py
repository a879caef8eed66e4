"""Render the shipped templates as self-contained pages that cannot run injected code.

A page may run only the script and the style that it was rendered with: a Content-Security-Policy
lists their hashes, so that no track or model name can become code.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jinja2
from markupsafe import Markup

from benchbench.plugins.bundled import folder

__all__ = ["environment", "render_page"]


def environment() -> jinja2.Environment:
    """The templates' environment; it escapes all values and refuses undefined names."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("reports") / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render_page(
    templates: jinja2.Environment,
    name: str,
    /,
    *,
    style: str,
    script: str | None = None,
    fetches: bool = False,
    **context: Any,
) -> str:
    """Render a template with inlined style and script, and the policy that admits only these.

    Parameters
    ----------
    templates
        An `environment`.
    name
        The template's file.
    style
        A file of styles in ``reports/static``.
    script
        The text of the page's script; None: no script.
    fetches
        Whether the script may read further files of its own site.
    context
        Variables of the template in addition to ``style``, ``script`` and ``policy``.
    """
    css = (folder("reports") / "static" / style).read_text(encoding="utf-8")
    policy = [
        "default-src 'none'",
        f"script-src {_hash(script)}" if script is not None else "script-src 'none'",
        f"style-src {_hash(css)}",
        "img-src data:",
        "media-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
        *(["connect-src 'self'"] if fetches else []),
    ]
    return templates.get_template(name).render(
        style=Markup(css),  # noqa: S704 - a file of the package
        script=Markup(script or ""),  # noqa: S704 - likewise
        policy="; ".join(policy),
        **context,
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
