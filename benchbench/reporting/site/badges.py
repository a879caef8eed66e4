"""A picture per model for its README: its number, and its place among the ranked models."""

from __future__ import annotations

from collections.abc import Iterator

from benchbench.plugins.templates import environment
from benchbench.reporting.formatting import decibels
from benchbench.reporting.page import Page

__all__ = ["badges"]

_WIDTH, _PADDING = 6.6, 10


def badges(page: Page) -> Iterator[tuple[str, str]]:
    """The name of the file and the SVG of every model that has a number on the first board."""
    template = environment().get_template("site/badge.svg")
    board = page.board
    ranked = [row.model for row in board.rows if page.headline.ranks[row.model] != "–"]
    for row in board.rows:
        if row.value is None:
            continue
        label = f"{board.series.dataset} {board.series.target}"
        value = f"{decibels(row.value)} {board.unit} {board.series.metric}"
        rank = page.headline.ranks[row.model]
        value += "" if rank == "–" else f", {rank} of {len(ranked)}"
        left, right = (round(_WIDTH * len(text) + 2 * _PADDING) for text in (label, value))
        title = f"{row.model}: {value} ({board.series.protocol}, {board.aggregation}), {label}"
        yield (
            f"{page.report_models[row.model].slug}.svg",
            template.render(label=label, value=value, left=left, right=right, title=title),
        )
