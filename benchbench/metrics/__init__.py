"""Metrics: pure functions of arrays, each in a catalogue that says what it means.

    >>> import numpy as np
    >>> from benchbench import metrics
    >>> from benchbench.metrics.references import References
    >>> noise = np.random.default_rng(0).standard_normal((2, 1, 8000)) / 10
    >>> references = References({"vocals": noise[0], "drums": noise[1]}, sample_rate=8000)
    >>> estimates = {"vocals": noise[0] + noise[1] / 10, "drums": noise[1] * 0.5}
    >>> found = metrics.evaluate(references, estimates, ["usdr"])
    >>> [(s.target, s.metric, round(float(s.values[0]), 2)) for s in found["usdr"]]
    [('vocals', 'SDR', 20.07), ('drums', 'SDR', 6.02)]

A protocol's frames can be changed by writing length and hop in seconds behind its name:
``windows:0.5/0.25``, ``bsseval-v4:2/2``. The changed name stands in the results, so such numbers
are never mixed up with those of the default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchbench.errors import UnknownNameError, UsageError
from benchbench.metrics.base import Estimates, Metric, Protocol, Series
from benchbench.metrics.catalogue import CATALOGUE as PROTOCOLS
from benchbench.metrics.catalogue import GROUP_MEMBERS as GROUPS
from benchbench.metrics.catalogue import Lazy

if TYPE_CHECKING:
    from benchbench.metrics.references import References

__all__ = [
    "DIAGNOSTICS",
    "GROUPS",
    "PROTOCOLS",
    "Metric",
    "Protocol",
    "Series",
    "evaluate",
    "metric",
    "protocol",
    "resolve",
]

DIAGNOSTICS = frozenset(
    one.name for every in PROTOCOLS.values() for one in every.metrics if one.diagnostic
)
"""Names of the metrics that say something of the references, and are neither ranked nor compared."""

_FRAMES = re.compile(r"(?P<name>[^:]+):(?P<window>[0-9.]+)(?:/(?P<hop>[0-9.]+))?")


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Parameters
    ----------
    name
        As listed in `PROTOCOLS`, or with frames of its own: ``name:length/hop`` in seconds.

    Raises
    ------
    UnknownNameError
        With the closest known name.
    UsageError
        For frames on a protocol that has none, or frames that are not positive.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    framed = _FRAMES.fullmatch(name)
    if framed and framed["name"] in PROTOCOLS:
        return _reframed(PROTOCOLS[framed["name"]], name, framed["window"], framed["hop"])
    raise UnknownNameError("metric", name, [*PROTOCOLS, *GROUPS])


def resolve(names: Sequence[str]) -> tuple[Protocol, ...]:
    """The protocols that names of protocols and groups stand for, each once, in that order."""
    found: dict[str, Protocol] = {}
    for name in names:
        for member in GROUPS.get(name, (name,)):
            found.setdefault(member, protocol(member))
    return tuple(found.values())


def metric(protocol_name: str, metric_name: str) -> Metric:
    """What is known of one metric of a protocol; ``bleed:drums`` is an instance of ``bleed``."""
    known = {one.name: one for one in protocol(protocol_name).metrics}
    family = metric_name.split(":")[0]
    found = known.get(metric_name) or known.get(family)
    if found is None:
        raise UnknownNameError("metric", metric_name, known, where=f" in {protocol_name}")
    return replace(found, name=metric_name)


def evaluate(
    references: References, estimates: Estimates, protocols: Sequence[Protocol | str]
) -> dict[str, list[Series]]:
    """Score one model's estimates of a track by several protocols, sharing all that they share.

    Parameters
    ----------
    references
        Of the track; hand over the same object for every model.
    estimates
        Arrays of shape (channels, samples) by target. Targets without one get rows with the
        reason ``missing_estimate``. Other lengths are padded or cut, and marked.
    protocols
        Protocols, or names of protocols and groups.

    Returns
    -------
    Series by name of the protocol

    Raises
    ------
    AudioError
        For an estimate with another number of channels, NaN or infinity.
    UnknownNameError
        For an unknown protocol, or an estimate without a reference.
    """
    from benchbench.metrics.evaluation import Evaluation

    wanted: dict[str, Protocol] = {}
    for given in protocols:
        for one in resolve([given]) if isinstance(given, str) else (given,):
            wanted.setdefault(one.name, one)
    evaluation: Any = Evaluation(references, estimates)
    return {name: one.evaluate(references, evaluation) for name, one in wanted.items()}


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
        raise UsageError(f"The frames of {name!r} have no length.")
    options: Mapping[str, Any] = {**base.evaluate.options, **seconds}
    return replace(
        base,
        name=name,
        evaluate=replace(base.evaluate, options=options),
        options={**base.options, **seconds},
    )
