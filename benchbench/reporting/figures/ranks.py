"""The rank diagram: average ranks over tracks, and bars that join indistinguishable models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from benchbench.reporting.figures.axes import linear
from benchbench.reporting.figures.shapes import shape

__all__ = ["rank_diagram"]

WIDTH = 720
SIDE = 190
ROW = 20


def rank_diagram(
    ranks: Mapping[str, float],
    groups: Sequence[Sequence[str]],
    index: Mapping[str, int],
    description: str,
    *,
    key: str = "cd",
) -> Markup:
    """An SVG of average ranks; the best is on the left.

    Parameters
    ----------
    ranks
        Average rank of each model, the best first.
    groups
        Runs of models that are not distinguishable; each gets a bar.
    index
        The index of each model, which determines its colour and shape.
    description
        Text alternative for screen readers.
    key
        Prefix of the element ids, which must be unique within a page.
    """
    names = list(ranks)
    scale = linear([1.0, float(len(names))], SIDE + 20, WIDTH - SIDE - 20, count=len(names))
    line = 26.0
    left = (len(names) + 1) // 2
    bars = line + 10 + 7 * len(groups)
    height = bars + ROW * left + 12
    parts = [_scale(scale.place(1.0), scale.place(len(names)), line, len(names))]
    for level, group in enumerate(groups):
        ends = [scale.place(ranks[name]) for name in (group[0], group[-1])]
        parts.append(
            Markup('<line class="tie" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(
                ends[0] - 4, ends[1] + 4, line + 9 + 7 * level, line + 9 + 7 * level
            )
        )
    for place, name in enumerate(names):
        first = place < left
        row = place if first else len(names) - 1 - place
        parts.append(
            _model(
                name,
                ranks[name],
                scale.place(ranks[name]),
                line,
                bars + ROW * (row + 0.6),
                first,
                index[name],
            )
        )
    return Markup(
        '<svg class="figure" viewBox="0 0 {0} {1:.0f}" role="img" aria-labelledby="{2}-t {2}-d">'
        '<title id="{2}-t">Average ranks over tracks</title><desc id="{2}-d">{3}</desc>{4}</svg>'
    ).format(WIDTH, height, key, description, Markup("").join(parts))


def _scale(start: float, end: float, line: float, count: int) -> Markup:
    step = (end - start) / max(count - 1, 1)
    parts = [
        Markup('<line class="axis-line" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
            start, end, line, line
        )
    ]
    for rank in range(1, count + 1):
        place = start + step * (rank - 1)
        parts.append(
            Markup(
                '<line class="axis-line" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
                '<text class="tick" x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
            ).format(place, line - 5, line, line - 10, rank)
        )
    return Markup("").join(parts)


def _model(
    name: str, rank: float, place: float, line: float, y: float, left: bool, index: int
) -> Markup:
    end = SIDE if left else WIDTH - SIDE
    shown = name if len(name) <= 22 else name[:21] + "…"
    return Markup(
        '<path class="leader" d="M{0:.1f} {1:.1f}V{2:.1f}H{3}"/>'
        '<g class="c{4}"><path class="dot" transform="translate({0:.1f} {1:.1f})" d="{5}"/></g>'
        '<text class="label" x="{6}" y="{7:.1f}" text-anchor="{8}">{9}</text>'
    ).format(
        place,
        line,
        y,
        end,
        index % 8,
        shape(index),
        end - 6 if left else end + 6,
        y + 4,
        "end" if left else "start",
        f"{shown}  {rank:.2f}" if left else f"{rank:.2f}  {shown}",
    )
