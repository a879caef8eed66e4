"""The notes under a run's table: aggregations, and reasons for missing numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd

from benchbench.errors import BenchbenchError
from benchbench.metrics import metric as metric_named
from benchbench.metrics import protocol as protocol_named
from benchbench.metrics.names import REFERENCE_FREE
from benchbench.results.schema import REASONS
from benchbench.stats.aggregations import AGGREGATIONS, DEFAULT
from benchbench.stats.wording import count

__all__ = ["Footnotes", "aggregation_note", "kinds_note", "names_note", "usual_aggregation"]


class Footnotes:
    """Numbers the missing values of a table, and gives the reason for each.

    Parameters
    ----------
    scores
        Score rows with their reasons.
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        self._gaps = scores[scores["value"].isna()]
        self._expected = scores
        self._numbers: dict[str, int] = {}

    def mark(self, model: str, target: str, protocol: str, metric: str) -> str:
        """A dash with the number of its footnote; empty if no such score was requested."""
        target = target.partition(" (")[0]
        rows, expected = (
            table[
                (table["model"] == model)
                & (table["target"] == target)
                & (table["protocol"] == protocol)
                & (table["metric"] == metric)
            ]
            for table in (self._gaps, self._expected)
        )
        reasons = rows["reason"].dropna().astype(str).value_counts()
        if reasons.empty:
            return ""
        reason = str(reasons.index[0])
        tracks = rows.loc[rows["reason"] == reason, "track"].nunique()
        text = (
            f"No value on {tracks} of {count(expected['track'].nunique(), 'track')} ({reason}): "
            f"{REASONS.get(reason, reason)}."
        )
        number = self._numbers.setdefault(text, len(self._numbers) + 1)
        return f"- [{number}]"

    def sentences(self) -> Iterable[str]:
        """The footnotes."""
        return [f"[{number}] {text}" for text, number in self._numbers.items()]


def usual_aggregation(protocol: str) -> str:
    """The default aggregation of a protocol; a general default for protocols of other tools."""
    try:
        name = protocol_named(protocol).aggregation
    except BenchbenchError:
        return DEFAULT
    return name if name in AGGREGATIONS else DEFAULT


def aggregation_note(shown: Sequence[tuple[str, str]], ways: Mapping[str, str]) -> Iterable[str]:
    """Units, directions and aggregations of the columns."""
    units: dict[str, list[str]] = {}
    for protocol, metric in shown:
        name = metric if protocol == REFERENCE_FREE.name else f"{protocol} {metric}"
        units.setdefault(_unit(protocol, metric), []).append(name)
    alone = len(units) == 1
    for text, names in units.items():
        yield f"{text}." if alone else f"{', '.join(names)}: {text}."
    if any(protocol == REFERENCE_FREE.name for protocol, _ in shown):
        yield "reference-free: symptoms of faults, which rank no separator."
    groups: dict[str, list[str]] = {}
    for protocol in dict.fromkeys(protocol for protocol, _ in shown):
        groups.setdefault(ways[protocol], []).append(protocol)
    yield "; ".join(f"{', '.join(names)}: {way}" for way, names in groups.items()) + "."


def kinds_note(
    models: Sequence[str], generative: Collection[str], shown: Sequence[tuple[str, str]]
) -> list[str]:
    """A note that no SDR ranks generative against masking separators, and which metrics do."""
    made_anew = [model for model in models if model in generative]
    if not made_anew or len(made_anew) == len(models):
        return []
    across = [f"{p} {m}" for p, m in shown if _ranks_both(p, m)]
    ranks = f"{', '.join(across)} ranks both kinds" if across else "--metrics report,visqol does"
    return [f"{', '.join(made_anew)}: generative; no SDR ranks it against the others, {ranks}."]


def _ranks_both(protocol: str, metric: str) -> bool:
    try:
        return metric_named(protocol, metric).across_kinds
    except BenchbenchError:
        return False


def _unit(protocol: str, metric: str) -> str:
    try:
        facts = metric_named(protocol, metric)
    except BenchbenchError:
        return "unit and direction unknown"
    unit = facts.unit if facts.unit != "1" else "no unit"
    if protocol == REFERENCE_FREE.name:
        return unit
    return f"{unit}, {facts.direction} is better"


def names_note(scores: pd.DataFrame) -> str:
    """The reason why no score has a value: mismatched stem names, or the most common reasons."""
    reasons = scores.groupby("reason", observed=True)["target"].unique()
    from_models = {str(name) for name in reasons.get("missing_reference", ())}
    wanted = {str(name) for name in reasons.get("missing_estimate", ())}
    if from_models or wanted:
        return (
            f"The data set has the stems {', '.join(sorted(wanted)) or 'none'}; the models give "
            f"{', '.join(sorted(from_models)) or 'none of them'}. Only stems of one name are compared; "
            "--dataset mixtures takes songs without stems."
        )
    counted = scores["reason"].dropna().astype(str).value_counts()
    return "; ".join(REASONS.get(name, name) for name in counted.index[:3])
