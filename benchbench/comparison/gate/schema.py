"""The schema of ``gate.toml`` as records, for the JSON Schema that editors use."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benchbench.comparison.gate.config import GateConfig, Missing, Profile

__all__ = ["GateFile"]

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(ge=0)]
Tolerance = Positive | dict[str, Positive]
"""One number for all metrics, or a table by metric with a ``default``."""

DEFAULT = GateConfig()


class CostTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ratios of new to old cost above which the gate reports."""

    real_time_factor: Positive = DEFAULT.real_time_factor
    memory: Positive = DEFAULT.memory
    fail: bool = DEFAULT.cost_fails


class SelectTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is judged; an empty list is everything."""

    models: list[str] = []
    targets: list[str] = []
    protocols: list[str] = []
    metrics: list[str] = []


class GateFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a gate; see `benchbench.comparison.gate.GateConfig`."""

    profile: Profile = DEFAULT.profile
    strict: bool = DEFAULT.strict
    missing: Missing = DEFAULT.missing
    alpha: Share = DEFAULT.alpha
    min_tracks: Annotated[int, msgspec.Meta(ge=0)] = DEFAULT.min_tracks
    coverage: Share = DEFAULT.coverage
    tolerance: Tolerance = DEFAULT.tolerance.default
    tail: Tolerance = DEFAULT.tail.default
    identical: Tolerance = DEFAULT.identical.default
    cost: CostTable = CostTable()
    select: SelectTable = SelectTable()
