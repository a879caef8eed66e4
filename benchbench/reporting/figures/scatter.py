"""Quality against cost, with the Pareto front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from benchbench.reporting.figures.axes import Axis, linear, logarithmic
from benchbench.reporting.figures.shapes import shape

__all__ = ["Point", "front", "scatter"]

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 52, 130, 16, 44


@dataclass(frozen=True, slots=True)
class Point:
    """One model: its cost, its quality, and the interval of its quality."""

    name: str
    index: int
    cost: float
    value: float
    low: float | None
    high: float | None


def front(points: Sequence[Point]) -> list[Point]:
    """The Pareto front: points that no other point beats in both cost and value, by cost."""
    answer: list[Point] = []
    for point in sorted(points, key=lambda one: (one.cost, -one.value)):
        if not answer or point.value > answer[-1].value:
            answer.append(point)
    return answer


def scatter(points: Sequence[Point], title: str, description: str, across: str, up: str) -> Markup:
    """An SVG with cost on the horizontal axis (logarithmic) and quality on the vertical axis."""
    x = logarithmic([point.cost for point in points], LEFT, WIDTH - RIGHT)
    speeds = logarithmic([1 / point.cost for point in points], LEFT, WIDTH - RIGHT).ticks
    x = replace(x, ticks=tuple(1 / tick for tick in speeds))
    bounds = [
        value
        for point in points
        for value in (point.value, point.low, point.high)
        if value is not None
    ]
    y = linear(bounds, HEIGHT - BOTTOM, TOP, count=6)
    best = front(points)
    parts = [
        *_axes(x, y, across, up),
        *_families(points, x, y),
        _steps(best, x, y),
        *(_point(point, x, y, point in best) for point in points),
        *_labels(points, best, x, y),
    ]
    return Markup(
        '<svg class="figure" viewBox="0 0 {} {}" role="img" aria-labelledby="cost-t cost-d">'
        '<title id="cost-t">{}</title><desc id="cost-d">{}</desc>{}</svg>'
    ).format(WIDTH, HEIGHT, title, description, Markup("").join(parts))


def _axes(x: Axis, y: Axis, across: str, up: str) -> list[Markup]:
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    text = Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>')
    lines = [line.format(x.x(tick), x.x(tick), TOP, HEIGHT - BOTTOM) for tick in x.ticks] + [
        line.format(LEFT, WIDTH - RIGHT, y.x(tick), y.x(tick)) for tick in y.ticks
    ]
    lines += [
        text.format(x.x(tick), HEIGHT - BOTTOM + 16, "middle", f"{1 / tick:g}x") for tick in x.ticks
    ]
    lines += [text.format(LEFT - 8, y.place(tick) + 4, "end", y.label(tick)) for tick in y.ticks]
    lines.append(text.format((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "middle", across))
    lines.append(
        Markup(
            '<text class="tick" transform="translate(12 {}) rotate(-90)" text-anchor="middle">{}</text>'
        ).format((TOP + HEIGHT - BOTTOM) / 2, up)
    )
    return lines


def _families(points: Sequence[Point], x: Axis, y: Axis) -> Iterator[Markup]:
    """A line through the settings of each model, in order of cost."""
    families: dict[str, list[Point]] = {}
    for point in sorted(points, key=lambda one: one.cost):
        families.setdefault(point.name.partition("[")[0], []).append(point)
    for name, family in families.items():
        if len(family) > 1:
            path = "L".join(f"{x.x(point.cost)} {y.x(point.value)}" for point in family)
            yield Markup('<path class="family" d="M{}"><title>{}</title></path>').format(path, name)


def _steps(best: Sequence[Point], x: Axis, y: Axis) -> Markup:
    if not best:
        return Markup("")
    path = f"M{x.x(best[0].cost)} {y.x(best[0].value)}"
    for point in best[1:]:
        path += f"H{x.x(point.cost)}V{y.x(point.value)}"
    return Markup('<path class="front" d="{}"/>').format(path + f"H{WIDTH - RIGHT}")


def _point(point: Point, x: Axis, y: Axis, best: bool) -> Markup:
    bar = Markup("")
    if point.low is not None and point.high is not None:
        bar = Markup('<line class="bar" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            x.x(point.cost), y.x(point.low), y.x(point.high)
        )
    return Markup(
        '<g class="c{} {}"><title>{}</title>{}<path class="dot" transform="translate({} {})" d="{}"/></g>'
    ).format(
        point.index % 8,
        "best" if best else "beaten",
        point.name,
        bar,
        x.x(point.cost),
        y.x(point.value),
        shape(point.index),
    )


def _labels(points: Sequence[Point], best: Sequence[Point], x: Axis, y: Axis) -> list[Markup]:
    """Names beside the points, moved down where they would overlap."""
    placed: list[tuple[float, float, float]] = []
    labels = []
    ordered = sorted(points, key=lambda one: (one not in best, y.place(one.value)))
    for point in ordered[:24]:
        left, top = x.place(point.cost) + 9, y.place(point.value) - 6
        width = 6.6 * min(len(point.name), 26)
        while any(
            abs(top - other) < 12 and left < right and begin < left + width
            for begin, right, other in placed
        ):
            top += 4
        if top > HEIGHT - BOTTOM + 4:
            continue
        placed.append((left, left + width, top))
        name = point.name if len(point.name) <= 26 else point.name[:25] + "…"
        labels.append(
            Markup('<text class="label" x="{:.1f}" y="{:.1f}">{}</text>').format(left, top, name)
        )
    return labels
