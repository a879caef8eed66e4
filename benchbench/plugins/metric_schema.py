"""The schema of ``metric.toml``, as frozen records; `manifest` reads and checks it."""

from __future__ import annotations

from typing import Literal

import msgspec

from benchbench.plugins.manifest_schema import AnyValue, Licence, Runtime, Weights

__all__ = ["MetricAudio", "MetricManifest", "MetricValue"]


class MetricAudio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audio that a metric is given; the engine cuts and converts it."""

    sample_rate: int | None = None
    """None: that of the track."""
    channels: int | None = None
    """1: the mean of the channels; None: those of the track."""
    excerpt_s: float = 0.0
    """Maximum length of an excerpt, in seconds; 0: the whole track."""
    excerpts: int = 3
    """Maximum number of excerpts per track, taken where the target is most active."""


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
    """The numbers by name, the headline metric first."""
    module: str = "metric.py"
    """The file with the code, relative to the folder; several metrics may share one."""
    function: str = "measure"
    reference: bool = True
    """Whether it compares with the reference; otherwise it judges the estimate alone."""
    targets: tuple[str, ...] = ()
    """The supported targets; empty: all."""
    runtime: Runtime = Runtime()
    audio: MetricAudio = MetricAudio()
    options: dict[str, AnyValue] = {}
    weights: Weights | None = None
    timeout_s: float = 120.0
    """Time limit in seconds for one excerpt or one track."""
    homepage: str = ""
