"""Protocols known only by their description, and the descriptions that a run records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchbench.errors import UsageError
from benchbench.metrics.base import Estimates, Metric, Protocol, Series

__all__ = ["described_protocol", "imported_protocol", "protocol_facts"]

_TEXTS = ("aggregation", "summary", "good_for", "misleads", "source")


@dataclass(frozen=True, slots=True)
class NotComputable:
    """The `evaluate` of a protocol whose scores can be read but not computed here."""

    name: str

    def __call__(self, references: Any, estimates: Estimates) -> list[Series]:
        """Raise an error that says so."""
        del references, estimates
        raise UsageError(
            f"{self.name} cannot be computed here: its numbers come from elsewhere.",
            hint="`bench list metrics` shows what can be computed.",
        )


def imported_protocol(
    name: str,
    metrics: tuple[Metric, ...],
    *,
    summary: str,
    good_for: str,
    misleads: str,
    source: str,
    version: int = 1,
    aggregation: str = "mean over tracks",
    content_hash: str = "",
) -> Protocol:
    """A protocol whose numbers are imported."""
    return Protocol(
        name,
        version,
        metrics,
        aggregation,
        summary,
        good_for,
        misleads,
        source,
        NotComputable(name),
        content_hash=content_hash,
    )


def protocol_facts(protocol: Protocol) -> dict[str, Any]:
    """The description that a run records of the protocol of a metric folder."""
    return {
        "name": protocol.name,
        "version": protocol.version,
        "hash": protocol.content_hash,
        **{name: getattr(protocol, name) for name in _TEXTS},
        "metrics": [
            {
                "name": one.name,
                "unit": one.unit,
                "low": _finite(one.low),
                "high": _finite(one.high),
                "direction": one.direction,
                "across_kinds": one.across_kinds,
            }
            for one in protocol.metrics
        ],
    }


def described_protocol(facts: Mapping[str, Any]) -> Protocol | None:
    """The protocol that a run recorded; None if it recorded only a name and a version."""
    metrics = facts.get("metrics")
    if not metrics:
        return None
    infinity = float("inf")
    texts = {name: str(facts.get(name, "")) for name in _TEXTS}
    known = tuple(
        Metric(
            str(one["name"]),
            str(one.get("unit", "1")),
            -infinity if one.get("low") is None else float(one["low"]),
            infinity if one.get("high") is None else float(one["high"]),
            "lower" if one.get("direction") == "lower" else "higher",
            across_kinds=bool(one.get("across_kinds")),
        )
        for one in metrics
    )
    return imported_protocol(
        str(facts["name"]),
        known,
        summary=texts["summary"],
        good_for=texts["good_for"],
        misleads=texts["misleads"],
        source=texts["source"],
        version=int(facts["version"]),
        aggregation=texts["aggregation"],
        content_hash=str(facts.get("hash", "")),
    )


def _finite(value: float) -> float | None:
    """The value, or None for infinity, which JSON does not have."""
    return value if abs(value) < float("inf") else None
