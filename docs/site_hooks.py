"""Hooks of the documentation's build: pages from beside what they describe, and formulas.

The pages of each adapter and data set stay in its folder, where their reader looks for them. On the
site, a README is ``adapters/<name>.md`` or ``datasets/<name>.md``, another page
``adapters/<name>-<page>.md``. Links between all pages work in both places: in the repository as
they are written, on the site as rewritten here.
Formulas become MathML, which browsers draw by themselves, so that the site loads no script for it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[([^]]*)\]\((?!https?:|mailto:|#)([^)#\s]*)(#[^)\s]*)?\)")
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\w$`])\$(?!\s)([^$\n`]+?)(?<!\s)\$(?![\w$])", re.DOTALL)
CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.MULTILINE | re.DOTALL)


def _outside() -> dict[str, str]:
    """Pages outside ``docs``: path in the repository to path on the site."""
    found = {
        f"{kind}/{path.parent.name}/{path.name}": f"{kind}/{_site_name(path)}.md"
        for kind in ("adapters", "datasets")
        for path in sorted((PROJECT / kind).glob("*/*.md"))
    }
    return {**found, "CONTRIBUTING.md": "contributing.md"}


def _site_name(path: Path) -> str:
    folder = path.parent.name
    return folder if path.stem == "README" else f"{folder}-{path.stem.lower()}"


def on_config(config: Any) -> Any:
    """List the pages that come from elsewhere in the navigation."""
    pages = list(_outside().values())
    decisions = sorted(path.name for path in (PROJECT / "docs" / "adr").glob("*.md"))
    config["nav"] += [
        {"Separators": [page for page in pages if page.startswith("adapters/")]},
        {"Data sets": [page for page in pages if page.startswith("datasets/")]},
        {"Behind it": ["contributing.md", *(f"adr/{name}" for name in decisions)]},
    ]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that come from elsewhere."""
    for source, target in _outside().items():
        text = (PROJECT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, target, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links lead to pages of the site (of a link elsewhere the words stay); set formulas."""
    outside = _outside()
    places = {target: source for source, target in outside.items()}
    own = page.file.src_uri
    here = places.get(own, f"docs/{own}")

    def redirected(match: re.Match[str]) -> str:
        words, path, anchor = match[1], match[2], match[3] or ""
        there = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
        if there in outside:
            site = outside[there]
        elif there.startswith("docs/") and Path(there).suffix in (".md", ".png", ".svg"):
            site = there.removeprefix("docs/")
        else:
            return words
        return f"[{words}]({posixpath.relpath(site, posixpath.dirname(own) or '.')}{anchor})"

    parts = CODE.split(LINK.sub(redirected, markdown))
    parts[::2] = [FORMULA.sub(_formula, text) for text in parts[::2]]
    return "".join(parts)


def _formula(match: re.Match[str]) -> str:
    return convert(match[1] or match[2], display="block" if match[1] else "inline")
