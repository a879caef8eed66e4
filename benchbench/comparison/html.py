"""A comparison as a self-contained HTML page."""

from __future__ import annotations

from typing import Any, Final

from benchbench.comparison.compare import Comparison
from benchbench.comparison.order import ordered_rows
from benchbench.comparison.sentences import aggregation_sentence, cost_lines, verdict_sentences
from benchbench.comparison.text import HEADER, row_cells, summary
from benchbench.comparison.verdicts import VERDICTS
from benchbench.plugins.templates import environment, render_page

__all__ = ["comparison_html", "comparison_parts", "verdict_page"]

_NUMBERS: Final = range(HEADER.index("a"), HEADER.index("tracks") + 1)
"""The right-aligned columns."""


def comparison_html(comparison: Comparison) -> str:
    """The comparison as a complete HTML page."""
    parts = comparison_parts(comparison)
    return verdict_page("comparison.html", title=parts["title"], compared=parts)


def comparison_parts(comparison: Comparison) -> dict[str, Any]:
    """The variables of the templates: texts, and rows with their verdicts."""
    notes = [aggregation_sentence(comparison), *cost_lines(comparison), *comparison.notes]
    return {
        "title": f"{comparison.b} against {comparison.a}",
        "sentences": [*verdict_sentences(comparison), summary(comparison)],
        "header": HEADER,
        "rows": [
            (row["verdict"], row_cells(row)) for _, row in ordered_rows(comparison.rows).iterrows()
        ],
        "numbers": _NUMBERS,
        "notes": notes,
        "verdicts": VERDICTS,
    }


def verdict_page(template: str, **context: Any) -> str:
    """A page of ``reports/templates/verdicts``, without scripts."""
    return render_page(environment(), f"verdicts/{template}", style="verdicts.css", **context)
