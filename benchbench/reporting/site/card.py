"""The picture beside a link to the site: its best models with their intervals."""

from __future__ import annotations

import io
from typing import Final

from benchbench.reporting.page import Page

__all__ = ["card"]

_WIDTH, _HEIGHT, _DPI = 1200, 630, 100
_SHOWN: Final = 8
_LONGEST: Final = 30
_INK, _BAR, _GRID = "#1c2430", "#1f5fbf", "#d5dbe3"


def card(page: Page) -> bytes:
    """A PNG of 1200 by 630 pixels, the size that link previews use."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    board = page.board
    rows = [
        row for row in board.rows if row.value is not None and page.report_models[row.model].ranked
    ]
    rows = (rows or [row for row in board.rows if row.value is not None])[:_SHOWN][::-1]
    figure = Figure((_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    figure.text(0.04, 0.9, _plain(page.title), size=27, weight="bold", color=_INK)
    caption = f"{board.series.label} of {board.series.target}, {board.unit}; {board.aggregation}"
    figure.text(0.04, 0.835, _plain(caption), size=15, color=_INK)
    axes = figure.add_axes((0.33, 0.1, 0.63, 0.68))
    for place, row in enumerate(rows):
        value = row.value or 0.0
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=_BAR, linewidth=5, alpha=0.35)
        axes.plot([value], [place], "o", color=_BAR, markersize=11)
        axes.annotate(f"{value:.2f}", (value, place), (0, 11), textcoords="offset points",
                      ha="center", size=12, color=_INK)  # fmt: skip
    axes.set_yticks(range(len(rows)), [_short(row.model) for row in rows], size=15, color=_INK)
    axes.set_ylim(-0.7, len(rows) - 0.2)
    axes.tick_params(axis="x", labelsize=13, colors=_INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=_GRID)
    for side in axes.spines.values():
        side.set_visible(False)
    content = io.BytesIO()
    canvas.print_png(content, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return content.getvalue()


def _short(name: str) -> str:
    return _plain(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")


def _plain(text: str) -> str:
    """The text with a sign that matplotlib would read as the start of a formula escaped."""
    return text.replace("$", r"\$")
