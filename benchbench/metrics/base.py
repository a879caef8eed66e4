"""Data classes that describe metrics and protocols: names, units, directions, meaning.

A *protocol* is a way of evaluating a whole set of estimates against a set of references; it
yields one or more *metrics*. Two protocols may both yield an ``SDR``; their values are never put
in the same column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from benchbench.metrics.references import References

__all__ = ["ALL_TARGETS", "AudioArray", "Estimates", "Evaluate", "Metric", "Protocol", "Series"]

ALL_TARGETS = "all"
"""The target name of values that cover all targets of a reference set together, such as SA-SDR."""

AudioArray: TypeAlias = npt.NDArray[np.floating]
"""Audio of shape (channels, samples), full scale at 1."""

Estimates: TypeAlias = Mapping[str, AudioArray]
"""Estimates by target; targets for which the model has no estimate are absent."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a protocol, and what a reader must know about it.

    Parameters
    ----------
    name
        The name used in the field: ``SDR``, ``SI-SDR``, ...
    unit
        ``dB``, or ``1`` for a number without a unit.
    low, high
        The range of possible values.
    direction
        Whether ``higher`` or ``lower`` is better.
    diagnostic
        Whether it describes the references rather than the estimates; such a number is stored, but
        neither ranked nor compared.
    of_all_targets
        Whether it is one number for all targets together; its target is then `ALL_TARGETS`.
    across_kinds
        Whether generative separators may be ranked against masking ones by it. Ratios of energies
        may not: they count generated audio as error, however good it sounds.
    """

    name: str
    unit: str
    low: float
    high: float
    direction: Literal["higher", "lower"] = "higher"
    diagnostic: bool = False
    of_all_targets: bool = False
    across_kinds: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one metric on one target: one number, or one per frame, band, or both.

    Parameters
    ----------
    target, metric
        Names of the target and of the metric.
    values
        float64 of shape (n,); NaN exactly where `reasons` gives the reason for a missing value.
    reasons
        Object array of shape (n,): None, or a key of `benchbench.results.schema.REASONS`.
    start_s, duration_s
        float64 of shape (n,) in seconds; None for the whole track.
    band_lo_hz, band_hi_hz
        float64 of shape (n,) in hertz; None for broadband.
    """

    target: str
    metric: str
    values: npt.NDArray[np.float64]
    reasons: npt.NDArray[np.object_]
    start_s: npt.NDArray[np.float64] | None = None
    duration_s: npt.NDArray[np.float64] | None = None
    band_lo_hz: npt.NDArray[np.float64] | None = None
    band_hi_hz: npt.NDArray[np.float64] | None = None


Evaluate: TypeAlias = "Callable[[References, Estimates], list[Series]]"


@dataclass(frozen=True, slots=True)
class Protocol:
    """A named, versioned way to score a set of estimates against a set of references.

    Parameters
    ----------
    name
        As written on the command line, for instance ``bsseval-v4``.
    version
        Increased whenever a number could change; part of every score row and of the cell's hash.
    metrics
        The metrics it yields, the headline first.
    aggregation
        The name of the usual aggregation of its values to one number per model and target: a key
        of `benchbench.stats.AGGREGATIONS`.
    summary, good_for, misleads, source
        One sentence that describes it; its use; when it misleads; where it is defined.
    evaluate
        The function that computes it.
    options
        The parameters that belong to its definition, for ``bench show``.
    content_hash
        Hash of the code, options and weights of a metric folder; "" for the package's own metrics,
        which `version` identifies.
    needs_references
        Whether it compares with references; otherwise it judges the estimates, or the estimates
        and the mixture, and can score songs of which no stems exist.
    """

    name: str
    version: int
    metrics: tuple[Metric, ...]
    aggregation: str
    summary: str
    good_for: str
    misleads: str
    source: str
    evaluate: Evaluate
    options: Mapping[str, object] = field(default_factory=dict)
    content_hash: str = ""
    needs_references: bool = True
