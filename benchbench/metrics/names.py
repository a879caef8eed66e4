"""Look up protocols, groups and metrics by name.

A protocol's frames can be changed by writing length and hop in seconds after its name:
``windows:0.5/0.25``, ``bsseval-v4:2/2``. Results contain this longer name, so such numbers are
never mixed with those of the default frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchbench.errors import UnknownNameError, UsageError
from benchbench.metrics.base import Metric, Protocol
from benchbench.metrics.catalogue import CATALOGUE as PROTOCOLS
from benchbench.metrics.catalogue import GROUP_MEMBERS as GROUPS
from benchbench.metrics.catalogue import Lazy
from benchbench.metrics.described.descriptions import NotComputable
from benchbench.metrics.described.elsewhere import LISTENING, ONE_LISTENER, REFERENCE_FREE

__all__ = [
    "ACROSS_KINDS",
    "DIAGNOSTICS",
    "GROUPS",
    "HEADLINES",
    "LISTENING",
    "ONE_LISTENER",
    "PROTOCOLS",
    "REFERENCE_FREE",
    "is_metric",
    "known_protocols",
    "learn",
    "metric",
    "protocol",
    "resolve",
    "unknown_metric",
]

DIAGNOSTICS = frozenset(
    one.name for every in PROTOCOLS.values() for one in every.metrics if one.diagnostic
)
"""Names of the metrics that describe the references, and are neither ranked nor compared."""

HEADLINES: tuple[tuple[str, str], ...] = (
    ("bsseval-v4", "SDR"),
    ("bsseval-v3", "SDR"),
    ("usdr", "SDR"),
    ("si", "SI-SDR"),
)
"""Headline protocol and metric of a comparison, the most published first."""

ACROSS_KINDS: tuple[str, ...] = ("listening", "visqol", "mrstft-perceptual", "embedding-mse")
"""Protocols whose metric may rank generative against masking separators, the most trusted first."""

_LEARNT: dict[str, Protocol] = {one.name: one for one in (LISTENING, REFERENCE_FREE)}

_FRAMES = re.compile(r"(?P<name>[^:]+):(?P<window>[0-9.]+)(?:/(?P<hop>[0-9.]+))?")


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Parameters
    ----------
    name
        A key of `PROTOCOLS`, or one with changed frames: ``name:length/hop`` in seconds.

    Raises
    ------
    UnknownNameError
        For an unknown name; the message gives the closest known one.
    UsageError
        For frames of a protocol without frames, or frames that are not positive.
    """
    if name in PROTOCOLS or name in _LEARNT:
        return PROTOCOLS.get(name) or _LEARNT[name]
    framed = _FRAMES.fullmatch(name)
    if framed and framed["name"] in PROTOCOLS:
        return _reframed(PROTOCOLS[framed["name"]], name, framed["window"], framed["hop"])
    raise unknown_metric(name)


def learn(protocols: Iterable[Protocol]) -> None:
    """Register protocols from outside the package; the package's own names take precedence.

    Metric folders and metrics that a run describes are not in `PROTOCOLS`; their units and
    directions are needed to read their scores.
    """
    for one in protocols:
        _LEARNT[one.name] = one


def known_protocols() -> dict[str, Protocol]:
    """Every protocol that is registered in this process, the package's own first."""
    return {**PROTOCOLS, **_LEARNT}


def unknown_metric(name: str) -> UnknownNameError:
    """The error for an unknown protocol; for a metric's name, it lists the protocols with it."""
    known = known_protocols()
    error = UnknownNameError("metric", name, [*known, *GROUPS])
    holders = _holders(name)
    if len(holders) == 1:
        error.hint = f"{name} is a metric of the protocol {holders[0]}: --metrics {holders[0]}."
    elif holders:
        error.hint = (
            f"{name} is a metric of the protocols {', '.join(holders)}. "
            f"Give one of these names instead, such as {holders[0]}."
        )
    return error


def is_metric(name: str) -> bool:
    """Whether some protocol has a metric of that name, such as SDR; capitals do not matter."""
    return bool(_holders(name))


def _holders(metric: str) -> list[str]:
    return [
        each.name
        for each in known_protocols().values()
        if any(one.name.casefold() == metric.casefold() for one in each.metrics)
    ]


def resolve(names: str | Sequence[str]) -> tuple[Protocol, ...]:
    """The protocols that names of protocols and groups refer to, each once, in that order.

    Names may be joined by commas.
    """
    parts = [names] if isinstance(names, str) else names
    found: dict[str, Protocol] = {}
    for name in [word.strip() for one in parts for word in one.split(",") if word.strip()]:
        for member in GROUPS.get(name, (name,)):
            if isinstance(protocol(member).evaluate, NotComputable):
                raise UsageError(
                    f"{member} is not computed from references and estimates here.",
                    hint="bench show " + member + " says where its numbers come from.",
                )
            found.setdefault(member, protocol(member))
    return tuple(found.values())


def metric(protocol_name: str, metric_name: str) -> Metric:
    """The description of a protocol's metric; ``bleed:drums`` is an instance of ``bleed``."""
    known = {one.name: one for one in protocol(protocol_name).metrics}
    family = metric_name.split(":")[0]
    found = known.get(metric_name) or known.get(family)
    if found is None:
        raise UnknownNameError("metric", metric_name, known, where=f" in {protocol_name}")
    return replace(found, name=metric_name)


def _reframed(base: Protocol, name: str, window: str, hop: str | None) -> Protocol:
    if not isinstance(base.evaluate, Lazy) or "window_s" not in base.options:
        framed = [one.name for one in PROTOCOLS.values() if "window_s" in one.options]
        raise UsageError(
            f"{base.name!r} has no frames to change.",
            hint=f"Those with frames: {', '.join(framed)}.",
        )
    try:
        seconds = {"window_s": float(window), "hop_s": float(hop or window)}
    except ValueError:
        raise UnknownNameError("metric", name, [*PROTOCOLS, *GROUPS]) from None
    if min(seconds.values()) <= 0:
        raise UsageError(f"The frames of {name!r} must be longer than 0 s.")
    options: Mapping[str, Any] = {**base.evaluate.options, **seconds}
    return replace(
        base,
        name=name,
        evaluate=replace(base.evaluate, options=options),
        options={**base.options, **seconds},
    )
