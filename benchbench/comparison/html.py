"""A comparison as a page of HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

import pandas as pd

from benchbench.comparison.compare import Comparison
from benchbench.comparison.order import ordered_rows
from benchbench.comparison.sentences import aggregation_sentence, cost_lines, verdict_sentences
from benchbench.comparison.text import HEADER, row_cells, summary
from benchbench.comparison.verdicts import VERDICTS

__all__ = ["PAGE_STYLE", "comparison_body", "comparison_html", "html_table", "page"]

PAGE_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .5rem 0; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #8886; text-align: left; }
td.number { text-align: right; white-space: nowrap; }
tr.worse td:first-child, tr.newly_failing td:first-child { font-weight: 700; color: #b3261e; }
tr.better td:first-child, tr.fixed td:first-child { font-weight: 700; color: #146c2e; }
.scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  tr.worse td:first-child, tr.newly_failing td:first-child { color: #f2b8b5; }
  tr.better td:first-child, tr.fixed td:first-child { color: #8fd8a0; }
}
"""


def comparison_html(comparison: Comparison) -> str:
    """A whole page."""
    title = f"{comparison.b} against {comparison.a}"
    return page(title, f"<h1>{escape(title)}</h1>{comparison_body(comparison)}")


def comparison_body(comparison: Comparison) -> str:
    """What stands under the heading, for a page of more than one part."""
    body = [
        *(f"<p>{escape(line)}</p>" for line in verdict_sentences(comparison)),
        f"<p>{escape(summary(comparison))}</p>",
        html_table(HEADER, ordered_rows(comparison.rows), row_cells, "Verdict of every row"),
        "<ul>",
        *(
            f"<li>{escape(line)}</li>"
            for line in [
                aggregation_sentence(comparison),
                *cost_lines(comparison),
                *comparison.notes,
            ]
        ),
        "</ul><h2>What the verdicts mean</h2><dl>",
        *(
            f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(text)}</dd>"
            for name, text in VERDICTS.items()
        ),
        "</dl>",
    ]
    return "\n".join(body)


def html_table(
    header: Sequence[str],
    rows: pd.DataFrame,
    cells: Callable[[pd.Series], Sequence[str]],
    caption: str,
) -> str:
    """A table whose rows carry their verdict as class."""
    numbers = set(range(4, 11))
    lines = [
        f'<div class="scroll" tabindex="0"><table><caption>{escape(caption)}</caption><thead><tr>'
    ]
    lines += [f'<th scope="col">{escape(name)}</th>' for name in header]
    lines.append("</tr></thead><tbody>")
    for _, row in rows.iterrows():
        lines.append(f'<tr class="{escape(str(row["verdict"]))}">')
        lines += [
            f'<td class="number">{escape(text)}</td>'
            if index in numbers
            else f"<td>{escape(text)}</td>"
            for index, text in enumerate(cells(row))
        ]
        lines.append("</tr>")
    return "".join([*lines, "</tbody></table></div>"])


def page(title: str, body: str) -> str:
    """A whole HTML document around `body`."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}</style></head>\n"
        f"<body><main>{body}</main></body></html>\n"
    )
