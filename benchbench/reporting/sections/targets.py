"""Tables of all targets with their mean, and of all data sets: one row per model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchbench.reporting.data.leaderboards import TARGETS, Leaderboard, Leaderboards
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.score_arrays import Series

__all__ = ["WideTable", "dataset_table", "target_tables"]


@dataclass(frozen=True, slots=True)
class WideTable:
    """One number per model and column, and the mean for models that have all columns.

    Parameters
    ----------
    title
        The references of the numbers, or the target.
    columns
        Targets or data sets.
    rows
        (model, values, mean), best mean first; models without a mean last.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...], float | None], ...]


def target_tables(made: Leaderboards) -> tuple[WideTable, ...]:
    """The headline's metric on all targets; one table per reference set with several targets."""
    head = made.headline
    by_references: dict[str, dict[str, Leaderboard]] = {}
    for series, board in _alike(made):
        if series.dataset == head.series.dataset:
            by_references.setdefault(series.references, {})[series.target] = board
    order = sorted(by_references, key=lambda name: (name != head.series.references, name))
    return tuple(
        _table(f"scored against {references.replace('+', ', ')}", by_references[references])
        for references in order
        if len(by_references[references]) > 1
    )


def dataset_table(made: Leaderboards, models: Mapping[str, ReportModel]) -> WideTable | None:
    """The headline's metric and target on every data set; None if there is only one."""
    head = made.headline.series
    boards = {
        series.dataset: board
        for series, board in _alike(made)
        if (series.target, series.references) == (head.target, head.references)
    }
    if len(boards) < 2:
        return None
    table = _table(head.target, boards)
    return WideTable(
        table.title, table.columns, tuple(row for row in table.rows if row[0] in models)
    )


def _alike(made: Leaderboards) -> Iterator[tuple[Series, Leaderboard]]:
    """Boards of the headline's protocol, metric, version and aggregation."""
    head = made.headline
    wanted = (head.series.protocol, head.series.metric, head.series.version)
    for series, ways in made.by_series.items():
        if (series.protocol, series.metric, series.version) == wanted:
            yield series, ways[head.aggregation]


def _table(title: str, boards: Mapping[str, Leaderboard]) -> WideTable:
    columns = sorted(boards, key=lambda name: (_place(name), name))
    values = {column: {row.model: row.value for row in boards[column].rows} for column in columns}
    names = dict.fromkeys(name for column in columns for name in values[column])
    rows = []
    for name in names:
        own = tuple(values[column].get(name) for column in columns)
        present = [value for value in own if value is not None]
        mean = sum(present) / len(own) if len(present) == len(own) else None
        rows.append((name, own, mean))
    sign = -1.0 if next(iter(boards.values())).higher_is_better else 1.0
    rows.sort(key=lambda row: (row[2] is None, sign * (row[2] or _best(row[1], sign))))
    return WideTable(title, tuple(columns), tuple(rows))


def _best(values: Sequence[float | None], sign: float) -> float:
    present = [value for value in values if value is not None]
    return (max(present) if sign < 0 else min(present)) if present else 0.0


def _place(name: str) -> int:
    return TARGETS.index(name) if name in TARGETS else len(TARGETS)
