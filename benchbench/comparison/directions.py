"""Whether more of a metric is better or worse, asked of the protocols that are installed."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Literal

from benchbench.errors import UnknownNameError

__all__ = ["Direction", "direction_of"]

Direction = Literal["higher", "lower"]


@cache
def direction_of(protocol: str, metric: str) -> Direction:
    """The direction of a protocol's metric; ``higher`` for what nobody here defines.

    Imported results carry protocols of other tools, whose metrics are ratios in decibels nearly
    without exception.
    """
    registry = importlib.import_module("benchbench.metrics")
    find = getattr(registry, "protocol", None)
    if find is None:
        return "higher"
    try:
        metrics = find(protocol).metrics
    except UnknownNameError:
        return "higher"
    directions: dict[str, Direction] = {item.name: item.direction for item in metrics}
    return directions.get(metric, "higher")
