"""Curves over frequency, one per model, with intervals, over the reference's spectrum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchbench.reporting.figures.axes import Axis, linear, logarithmic
from benchbench.reporting.figures.shapes import shape

__all__ = ["Curve", "curves"]

WIDTH, HEIGHT = 520, 280
LOWEST_DB, HIGHEST_DB = -12.0, 30.0
"""Limits of the SDR scale; beyond them an estimate is plainly wrong or right."""

OCTAVES = (31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000)
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 14, 36


@dataclass(frozen=True, slots=True)
class Curve:
    """One model's values: (frequency in hertz, value, low, high), in order of frequency."""

    name: str
    index: int
    points: tuple[tuple[float, float, float | None, float | None], ...]
    loud: bool  # drawn in the model's colour; other curves are grey
    label: str = ""  # written at the end of a grey line


def curves(
    lines: Sequence[Curve],
    spectrum: Sequence[tuple[float, float]],
    target: str,
    description: str,
    identifier: str,
) -> Markup:
    """An SVG of SDR against frequency for one target.

    Parameters
    ----------
    lines
        The models' curves.
    spectrum
        (frequency, level in dB re the loudest band) of the reference; may be empty.
    target, description, identifier
        Used in the title, the description and the ids.
    """
    frequencies = [point[0] for line in lines for point in line.points]
    x = logarithmic(frequencies, LEFT, WIDTH - RIGHT)
    values = [
        value
        for line in lines
        for point in line.points
        for value in (point[1:] if line.loud else point[1:2])
        if value is not None
    ]
    held = [min(HIGHEST_DB, max(LOWEST_DB, value)) for value in values]
    y = linear(held, HEIGHT - BOTTOM, TOP, count=5)
    parts = [
        *_axes(x, y),
        _area(spectrum, x),
        *(_line(line, x, y) for line in lines),
    ]
    return Markup(
        '<svg class="figure curves" viewBox="0 0 {0} {1}" role="img" aria-labelledby="{2}-t {2}-d">'
        '<title id="{2}-t">SDR of {3} by frequency</title><desc id="{2}-d">{4}</desc>{5}</svg>'
    ).format(WIDTH, HEIGHT, identifier, target, description, Markup("").join(parts))


def _axes(x: Axis, y: Axis) -> list[Markup]:
    line = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    text = Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>')
    shapes = []
    for tick in y.ticks:
        shapes.append(
            line.format("zero" if tick == 0 else "grid", LEFT, WIDTH - RIGHT, y.x(tick), y.x(tick))
        )
        shapes.append(text.format(LEFT - 6, f"{y.place(tick) + 4:.1f}", "end", y.label(tick)))
    for octave in OCTAVES:
        if x.low <= octave <= x.high:
            label = f"{octave / 1000:g} k" if octave >= 1000 else f"{octave:g}"
            shapes.append(text.format(x.x(octave), HEIGHT - BOTTOM + 16, "middle", label))
    shapes.append(text.format(WIDTH - RIGHT, HEIGHT - 4, "end", "Hz"))
    shapes.append(text.format(4, 10, "start", "dB"))
    return shapes


def _area(spectrum: Sequence[tuple[float, float]], x: Axis) -> Markup:
    if len(spectrum) < 2:
        return Markup("")
    y = Axis(-60.0, 0.0, HEIGHT - BOTTOM, TOP + 60, ())
    path = " ".join(f"L{x.x(frequency)} {y.x(level)}" for frequency, level in spectrum)
    base = HEIGHT - BOTTOM
    return Markup('<path class="spectrum" d="M{} {} {} L{} {}z"/>').format(
        x.x(spectrum[0][0]), base, path, x.x(spectrum[-1][0]), base
    )


def _line(curve: Curve, x: Axis, y: Axis) -> Markup:
    path = "M" + "L".join(f"{x.x(point[0])} {y.beyond(point[1]):.1f}" for point in curve.points)
    kind = f"c{curve.index % 8} loud" if curve.loud else "quiet"
    parts = list(_marks(curve, x, y)) if curve.loud else [_label(curve, x, y)]
    # A nested SVG clips the curve at the edge of the chart.
    return Markup(
        '<g class="{0}"><title>{1}</title><svg x="{2}" y="{3}" width="{4}" height="{5}" '
        'viewBox="{2} {3} {4} {5}"><path class="curve" d="{6}"/></svg>{7}</g>'
    ).format(
        kind,
        curve.name,
        LEFT,
        TOP - 4,
        WIDTH - LEFT - RIGHT + 4,
        HEIGHT - TOP - BOTTOM + 8,
        path,
        Markup("").join(parts),
    )


def _marks(curve: Curve, x: Axis, y: Axis) -> Iterator[Markup]:
    """A marker and an interval at each value within the scale."""
    for frequency, value, low, high in curve.points:
        if not y.low <= value <= y.high:
            continue
        if low is not None and high is not None:
            yield Markup('<line class="thin" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
                x.x(frequency), y.x(low), y.x(high)
            )
        yield Markup('<path class="dot" transform="translate({} {}) scale(.75)" d="{}"/>').format(
            x.x(frequency), y.x(value), shape(curve.index)
        )


def _label(curve: Curve, x: Axis, y: Axis) -> Markup:
    """The name of a grey curve, above its highest point within the scale."""
    inside = [point for point in curve.points if y.low <= point[1] <= y.high]
    if not curve.label or not inside:
        return Markup("")
    frequency, value = max(inside, key=lambda point: point[1])[:2]
    place = x.place(frequency)
    anchor = "end" if place > 0.75 * WIDTH else "start" if place < 0.25 * WIDTH else "middle"
    return Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        place, max(TOP + 8.0, y.place(value) - 7), anchor, curve.label
    )
