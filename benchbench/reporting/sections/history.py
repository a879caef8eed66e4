"""The same models over several runs: changes of the value, and their possible causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from benchbench.errors import NothingToCompareError
from benchbench.reporting.data.leaderboards import Leaderboard, number
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.pairwise import ALPHA
from benchbench.reporting.figures.axes import linear
from benchbench.stats import AGGREGATIONS, ShownNumbers, paired
from benchbench.stats.aggregations import Summary

__all__ = ["Event", "Line", "histories"]

WIDTH, HEIGHT = 260, 64


@dataclass(frozen=True, slots=True)
class Event:
    """One run of one model.

    Parameters
    ----------
    value
        The value under the headline's aggregation.
    change, low, high
        The value minus that of the previous run, and its interval by a paired bootstrap over tracks.
    step
        Whether the paired test distinguishes the two runs, in the direction of `change`.
    source
        The commit that it ran from, shortened; empty where unknown.
    changed
        Differences from the previous run.
    """

    run: str
    date: str
    value: float
    tracks: int
    change: float | None
    low: float | None
    high: float | None
    step: bool
    changed: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A model's runs, oldest first, and their figure."""

    model: str
    events: tuple[Event, ...]
    figure: Markup


def histories(
    history: pd.DataFrame,
    separations: pd.DataFrame,
    runs: tuple[dict[str, Any], ...],
    board: Leaderboard,
    report_models: dict[str, ReportModel],
) -> tuple[Line, ...]:
    """One line for each model that was run more than once on the headline's series."""
    series = board.series
    rows = history[
        (history["dataset"] == series.dataset)
        & (history["reference_set"] == series.references)
        & (history["target"] == series.target)
        & (history["protocol"] == series.protocol)
        & (history["metric"] == series.metric)
        & (history["metric_version"] == series.version)
    ]
    if rows.empty:
        return ()
    facts = {str(run.get("run_id")): run for run in runs}
    order = {run: place for place, run in enumerate(facts)}
    lines = []
    for name in report_models:
        own = rows[rows["model"] == name]
        named = sorted(
            {str(run) for run in own["run_id"]}, key=lambda run: (order.get(run, -1), run)
        )
        if len(named) > 1:
            events = _events(name, own, named, facts, separations, board)
            lines.append(Line(name, events, _drawing(events, report_models[name])))
    return tuple(lines)


def _events(
    model: str,
    rows: pd.DataFrame,
    names: list[str],
    facts: dict[str, dict[str, Any]],
    separations: pd.DataFrame,
    board: Leaderboard,
) -> tuple[Event, ...]:
    median = AGGREGATIONS[board.aggregation].tracks == "median"
    made: list[Event] = []
    before: tuple[str, pd.Series] | None = None
    for run in names:
        part = rows[rows["run_id"] == run]
        values = pd.Series(
            part["value"].to_numpy(dtype=np.float64), index=part["track"].astype("object")
        ).dropna()
        if values.empty:
            continue
        change = low = high = None
        step, changed = False, tuple[str, ...]()
        if before is not None:
            change, low, high, step = _difference(before[1], values, "median" if median else "mean")
            changed = _changes(model, before[0], run, facts, separations)
        date = str(facts.get(run, {}).get("started", ""))[:16].replace("T", " ")
        source = str((facts.get(run, {}).get("git") or {}).get("sha") or "")[:8]
        value = float(values.median() if median else values.mean())
        made.append(Event(run, date, value, len(values), change, low, high, step, changed, source))
        before = run, values
    return tuple(made)


def _difference(
    old: pd.Series, new: pd.Series, summary: Summary
) -> tuple[float | None, float | None, float | None, bool]:
    """The change of the value, its interval, and whether the paired test finds it."""
    both = pd.concat([new, old], axis=1).sort_index().to_numpy(dtype=np.float64)
    change = ShownNumbers.of(both.T, summary).difference(0, 1)
    low, high = number(change.interval.low), number(change.interval.high)
    try:
        tested = paired(old, new)
    except NothingToCompareError:
        return None, None, None, False
    step = tested.p < ALPHA and tested.effect * change.difference > 0
    return change.difference, low, high, step


def _changes(
    model: str,
    before: str,
    after: str,
    facts: dict[str, dict[str, Any]],
    separations: pd.DataFrame,
) -> tuple[str, ...]:
    """Descriptions of the differences between two runs of a model."""
    of_model = separations[separations["model"] == model]
    old, new = facts.get(before, {}), facts.get(after, {})
    return (
        *_changed_contents(of_model, before, after),
        *_changed_machine(old, new),
        *_changed_packages(old.get("packages") or {}, new.get("packages") or {}),
    )


def _changed_contents(of_model: pd.DataFrame, before: str, after: str) -> Iterator[str]:
    """Which hashes of the model and the data set differ."""
    for kind in ("weights", "adapter", "options", "dataset"):
        hashes = [
            {str(value) for value in of_model.loc[of_model["run_id"] == run, f"{kind}_hash"]}
            for run in (before, after)
        ]
        if all(hashes) and hashes[0] != hashes[1]:
            yield "data set" if kind == "dataset" else kind


def _changed_machine(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Changes of the benchbench and Python versions, the commit, and the processor."""
    for key, name in (("benchbench", "benchbench"), ("python", "Python")):
        if old.get(key) != new.get(key):
            yield f"{name} {old.get(key)} to {new.get(key)}"
    commits = [(facts.get("git") or {}).get("sha") for facts in (old, new)]
    if commits[0] != commits[1]:
        yield f"source {str(commits[1])[:8]}"
    processors = [(facts.get("machine") or {}).get("cpu") for facts in (old, new)]
    if processors[0] != processors[1]:
        yield "machine"


def _changed_packages(old: dict[str, str], new: dict[str, str], most: int = 4) -> Iterator[str]:
    """The first packages whose versions differ, and the number of further ones."""
    changed = [name for name in sorted(new) if old.get(name) != new[name]]
    yield from (f"{name} {old.get(name)} to {new[name]}" for name in changed[:most])
    if len(changed) > most:
        yield f"{len(changed) - most} more packages"


def _drawing(events: tuple[Event, ...], report_model: ReportModel) -> Markup:
    y = linear([event.value for event in events], HEIGHT - 10, 10, count=3)
    gap = (WIDTH - 24) / max(1, len(events) - 1)
    places = [(12 + gap * place, y.place(event.value)) for place, event in enumerate(events)]
    dots = Markup("").join(
        Markup(
            '<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}: {:.2f}</title></circle>'
        ).format(
            "step" if event.step else "still",
            x,
            top,
            4.5 if event.step else 3,
            event.date,
            event.value,
        )
        for (x, top), event in zip(places, events, strict=True)
    )
    path = "M" + "L".join(f"{x:.1f} {top:.1f}" for x, top in places)
    return Markup(
        '<svg class="history c{}" viewBox="0 0 {} {}" aria-hidden="true"><path class="curve" d="{}"/>{}</svg>'
    ).format(report_model.index % 8, WIDTH, HEIGHT, path, dots)
