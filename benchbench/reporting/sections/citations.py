"""Published results shown beside a board, and the origin of imported scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchbench.reporting.data.leaderboards import Leaderboard, Leaderboards
from benchbench.reporting.data.published import PublishedResult, published_results
from benchbench.reporting.data.score_arrays import Series

__all__ = ["Citations", "Cited", "Origin", "citations", "origins_of"]

_TOTAL = ("SDR", "ISR")
"""BSS Eval metrics that do not depend on the other references of the track."""


@dataclass(frozen=True, slots=True)
class Cited:
    """One published number beside a board; `source` counts from 1 through the page's sources."""

    model: str
    value: float
    oracle: bool
    extra_data: bool
    source: int
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class Citations:
    """The published figures of all boards, best first, with the notes that they refer to."""

    by_series: Mapping[Series, Mapping[str, tuple[Cited, ...]]] = field(default_factory=dict)
    sources: tuple[tuple[str, str], ...] = ()

    def beside(self, board: Leaderboard) -> tuple[Cited, ...]:
        """Published figures with the same data set, protocol, metric, target and aggregation."""
        return self.by_series.get(board.series, {}).get(board.aggregation, ())


def citations(made: Leaderboards, results: Sequence[PublishedResult] | None = None) -> Citations:
    """Find the published figures of every board.

    Parameters
    ----------
    made
        The boards of the page.
    results
        Published figures; by default those shipped with benchbench.
    """
    found = published_results() if results is None else results
    sources: dict[tuple[str, str], int] = {}
    answer: dict[Series, dict[str, tuple[Cited, ...]]] = {}
    for series, ways in made.by_series.items():
        for board in ways.values():
            held = list(_beside(found, series, board.aggregation, sources))
            if held:
                held.sort(key=lambda one: -one.value if board.higher_is_better else one.value)
                answer.setdefault(series, {})[board.aggregation] = tuple(held)
    return Citations(answer, tuple(sources))


def _beside(
    results: Sequence[PublishedResult],
    series: Series,
    aggregation: str,
    sources: dict[tuple[str, str], int],
) -> Iterator[Cited]:
    wanted = (series.dataset, series.protocol, series.metric, aggregation)
    for one in results:
        if (one.dataset, one.protocol, one.metric, one.aggregation) != wanted:
            continue
        if series.target in one.values and _same_references(one, series):
            source = sources.setdefault((one.source, one.note), len(sources) + 1)
            yield Cited(
                one.model,
                one.values[series.target],
                one.oracle,
                one.extra_data,
                source,
                one.baseline,
            )


def _same_references(one: PublishedResult, series: Series) -> bool:
    """Whether both used the same references; totals do not depend on the other references.

    museval scores vocals and accompaniment against each other, and any other target among four.
    """
    if series.metric in _TOTAL:
        return True
    pair = series.target in {"vocals", "accompaniment"}
    return one.reference_set == "museval" and pair == (len(series.references.split("+")) == 2)


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of imported scores, and their models."""

    name: str
    models: tuple[str, ...]
    citation: str
    url: str | None
    licence: str
    protocols: str
    kind: str


def origins_of(runs: Sequence[dict[str, Any]], names: Sequence[str]) -> tuple[Origin, ...]:
    """Every import among the runs whose models are on the page, each listed once."""
    made: dict[tuple[str, tuple[str, ...]], Origin] = {}
    for run in runs:
        origin = run.get("imported")
        own = [str(model.get("name")) for model in run.get("models") or ()]
        models = tuple(name for name in own if name in names)
        if not origin or not models:
            continue
        url = str(origin.get("url") or "")
        protocols = (
            f"{one['name']} version {one['version']}" for one in run.get("protocols") or ()
        )
        made[str(origin.get("name")), models] = Origin(
            str(origin.get("name")),
            models,
            str(origin.get("citation") or ""),
            url if url.startswith(("https://", "http://")) else None,
            str(origin.get("licence") or "unknown"),
            ", ".join(protocols),
            str(origin.get("kind") or ""),
        )
    return tuple(made.values())
