"""Which metric to read: the purpose of each protocol, and whether they rank models alike."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from benchbench import metrics
from benchbench.errors import UnknownNameError
from benchbench.metrics.names import ACROSS_KINDS, LISTENING, REFERENCE_FREE
from benchbench.reporting.data.leaderboards import Leaderboard, Leaderboards, usual
from benchbench.reporting.data.models import ReportModel

__all__ = ["MetricChoice", "advice", "metric_choices"]


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """One metric on the headline's target.

    Parameters
    ----------
    agreement
        Kendall's tau between its order of the models and the headline's, 1 when they are the same;
        None with fewer than two models.
    first
        The best of the compared models by this metric.
    silence
        The score of a silent estimate; None when it has no value.
    """

    protocol: str
    label: str
    version: int
    aggregation: str
    headline: bool
    first: str | None
    agreement: float | None
    silence: float | None
    silence_told: bool
    good_for: str
    misleads: str


def metric_choices(
    boards: Leaderboards, report_models: dict[str, ReportModel]
) -> tuple[MetricChoice, ...]:
    """Every metric of the headline's target and references."""
    head = boards.headline
    choices = []
    for series, ways in boards.by_series.items():
        same = (series.dataset, series.references, series.target) == (
            head.series.dataset,
            head.series.references,
            head.series.target,
        )
        if same:
            choices.append(_choice(usual(ways), head, report_models))
    return tuple(choices)


def _choice(
    board: Leaderboard, head: Leaderboard, report_models: dict[str, ReportModel]
) -> MetricChoice:
    ranked = [
        row.model for row in board.rows if row.value is not None and report_models[row.model].ranked
    ]
    reference = [row.model for row in head.rows if row.value is not None]
    shared = [name for name in ranked if name in reference]
    agreement = None
    if len(shared) >= 2 and board.series.ranks:
        order = [reference.index(name) for name in shared]
        agreement = float(stats.kendalltau(range(len(shared)), order).statistic)
    silent = [row for row in board.rows if report_models[row.model].adapter == "silence"]
    try:
        about = metrics.protocol(board.series.protocol)
        good_for, misleads = about.good_for, about.misleads
    except UnknownNameError:
        good_for = misleads = ""
    return MetricChoice(
        board.series.protocol,
        board.series.label,
        board.series.version,
        board.aggregation,
        board.series == head.series,
        ranked[0] if ranked and board.series.ranks else None,
        agreement,
        silent[0].value if silent else None,
        bool(silent),
        good_for,
        misleads,
    )


def advice(choices: tuple[MetricChoice, ...]) -> str:
    """One or two sentences: which metric to read, and whether the others contradict it."""
    head = next(choice for choice in choices if choice.headline)
    others = [
        choice
        for choice in choices
        if not choice.headline and choice.first is not None and choice.label.endswith("SDR")
    ]
    if head.protocol == REFERENCE_FREE.name:
        return (
            "Read them one by one: each finds its own fault, and none says how well a separator "
            "separates."
        )
    start = f"Read {head.label}, {head.aggregation}{_why(head)}"
    if not others or head.first is None:
        return start
    differing = [choice for choice in others if choice.first != head.first]
    if not differing:
        return f"{start} Every other SDR here names the same best separator."
    names = ", ".join(choice.label for choice in differing)
    return (
        f"{start} Note that another separator is best by {names}: the order depends on the metric."
    )


def _why(head: MetricChoice) -> str:
    if head.protocol == LISTENING.name:
        return ": it is what listeners answered."
    if head.protocol in ACROSS_KINDS:
        return ": it can rank generative and masking separators against each other."
    if head.protocol == "bsseval-v4":
        return (
            ". It is the number that most publications give, so it can be compared with "
            "theirs, provided that data set and references are the same."
        )
    return ": it is the best known of the stored metrics."
