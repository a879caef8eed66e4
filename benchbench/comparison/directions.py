"""Whether more of a metric is better or worse, asked of the protocols that are installed."""

from __future__ import annotations

from functools import cache
from typing import Literal

from benchbench.errors import UnknownNameError, UsageError
from benchbench.metrics import metric as metric_named

__all__ = ["Direction", "direction_of"]

Direction = Literal["higher", "lower"]


@cache
def direction_of(protocol: str, metric: str, target: str) -> Direction:
    """The direction of a protocol's metric on a target; ``higher`` for what nobody here defines.

    A target's own reference heard in its estimate (``bleed:vocals`` of ``vocals``) is what is
    wanted, where every other one is bleed. Imported results carry protocols of other tools, whose metrics are ratios in decibels nearly
    without exception.
    """
    if metric == f"bleed:{target}":
        return "higher"
    try:
        return metric_named(protocol, metric).direction
    except (UnknownNameError, UsageError, KeyError):
        return "higher"
