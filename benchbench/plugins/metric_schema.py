"""What ``metric.toml`` may hold, as frozen records; reading and checking is `manifest`'s."""

from __future__ import annotations

from typing import Literal

import msgspec

from benchbench.plugins.manifest_schema import AnyValue, Licence, Runtime, Weights

__all__ = ["MetricAudio", "MetricManifest", "MetricValue"]


class MetricAudio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audio that a metric is given; the engine cuts and converts it."""

    sample_rate: int | None = None
    """None: the track's own."""
    channels: int | None = None
    """1: the mean of the channels; None: the track's own."""
    excerpt_s: float = 0.0
    """Longest stretch that is measured at once, in seconds; 0: the whole track."""
    excerpts: int = 3
    """How many excerpts of a track at most, where the target is most active."""


class MetricValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number that a metric yields: its unit, range and direction."""

    unit: str = "1"
    low: float = float("-inf")
    high: float = float("inf")
    direction: Literal["higher", "lower"] = "higher"
    across_kinds: bool = False
    """Whether it may rank generative against masking separators."""


class MetricManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a metric that is a folder of its own says of itself."""

    name: str
    version: int
    summary: str
    good_for: str
    misleads: str
    source: str
    licence: Licence
    metrics: dict[str, MetricValue]
    """Name of each number to what it is, the headline first."""
    module: str = "metric.py"
    """The file with the code, seen from the folder; several metrics may share one."""
    function: str = "measure"
    reference: bool = True
    """Whether it compares with the reference; otherwise it judges the estimate alone."""
    targets: tuple[str, ...] = ()
    """The targets that it is made for; empty: all."""
    runtime: Runtime = Runtime()
    audio: MetricAudio = MetricAudio()
    options: dict[str, AnyValue] = {}
    weights: Weights | None = None
    timeout_s: float = 120.0
    """Seconds that one excerpt, or one track, may take."""
    homepage: str = ""
