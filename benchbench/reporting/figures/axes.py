"""Linear and logarithmic axes: map values to coordinates, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

__all__ = ["Axis", "linear", "logarithmic"]


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to coordinates along one direction of a figure.

    Parameters
    ----------
    low, high
        The values at the two ends.
    start, end
        The coordinates of the two ends in figure units; an axis that points up has
        ``start > end``.
    ticks
        Values of the ticks.
    log
        Whether the scale is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    log: bool = False

    def x(self, value: float) -> str:
        """The coordinate of a value, clipped to the axis, formatted for SVG."""
        return f"{self.place(value):.2f}".rstrip("0").rstrip(".")

    def place(self, value: float) -> float:
        """The coordinate of a value, clipped to the axis."""
        share = min(1.0, max(0.0, self._share(value)))
        return self.start + share * (self.end - self.start)

    def beyond(self, value: float) -> float:
        """The coordinate of a value, not clipped."""
        return self.start + self._share(value) * (self.end - self.start)

    def _share(self, value: float) -> float:
        if self.log:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def label(self, value: float) -> str:
        """A tick's number with a true minus sign."""
        return f"{value:g}".replace("-", "−")

    @property
    def drawing(self) -> Markup:
        """An SVG of the tick labels, for a table header."""
        texts = Markup("").join(
            Markup('<text x="{}" y="14">{}</text>').format(self.x(tick), self.label(tick))
            for tick in self.ticks
        )
        return Markup(
            '<svg class="whisker head" viewBox="0 0 240 24" aria-hidden="true">{}</svg>'
        ).format(texts)


def linear(
    values: Iterable[float], start: float, end: float, *, count: int = 5, zero: bool = False
) -> Axis:
    """A linear axis that covers all values, with about `count` round ticks."""
    found = [value for value in values if math.isfinite(value)]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    space = (high - low) * 0.04
    step = _round_step((high - low + 2 * space) / count)
    low, high = low - space, high + space
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    ticks = tuple(round(index * step, 10) for index in range(first, last + 1))
    return Axis(low, high, start, end, ticks)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 5):
        if rough <= factor * power * 1.0000001:
            return factor * power
    return 10 * power


def logarithmic(values: Iterable[float], start: float, end: float) -> Axis:
    """A logarithmic axis that covers all values; ticks at 1, 2 and 5 of each decade, or closer."""
    found = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    low, high = min(found) / 1.25, max(found) * 1.25
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ratio = high / low
    factors = (1, 1.5, 2, 3, 5, 7) if ratio < 8 else (1, 2, 5) if ratio < 300 else (1,)
    ticks = tuple(
        value
        for decade in decades
        for factor in factors
        if low <= (value := factor * 10.0**decade) <= high
    )
    return Axis(low, high, start, end, ticks, log=True)
