"""Whether higher or lower values of a metric are better, according to the installed protocols."""

from __future__ import annotations

from functools import cache
from typing import Literal

from benchbench.errors import UnknownNameError, UsageError
from benchbench.metrics import metric as metric_named

__all__ = ["Direction", "direction_of"]

Direction = Literal["higher", "lower"]


@cache
def direction_of(protocol: str, metric: str, target: str) -> Direction:
    """The direction of a protocol's metric on a target; ``higher`` if no protocol defines it.

    The target's own reference in its estimate (``bleed:vocals`` of ``vocals``) is wanted; any
    other reference in it is bleed. Imported results carry protocols of other tools, whose metrics are nearly
    always ratios in decibels.
    """
    if metric == f"bleed:{target}":
        return "higher"
    try:
        return metric_named(protocol, metric).direction
    except (UnknownNameError, UsageError, KeyError):
        return "higher"
