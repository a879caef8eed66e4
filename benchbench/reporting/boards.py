"""Leaderboards: for every group of comparable numbers, one value and interval a model.

A *series* is a set of numbers that may stand in one column: same data set, references, target,
protocol, metric and metric version. A *board* is a series under one aggregation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.reporting.readings import Reading
from benchbench.stats import AGGREGATIONS, leaderboard

__all__ = ["Board", "Boards", "Row", "Series", "boards"]

PROTOCOLS: Final = ("bsseval-v4", "bsseval-v3", "usdr", "si")
"""The order in which a headline is looked for: the protocol of most publications first."""

TARGETS: Final = ("vocals", "drums", "bass", "other", "accompaniment")
METRICS: Final = ("SDR", "SI-SDR", "ISR", "SIR", "SAR", "SI-SIR", "SI-SAR")
_ELSEWHERE: Final = ("windows", "bleed", "bands")  # protocols with sections of their own
_FRAMED: Final = (
    "median of frame medians",
    "mean of frame medians",
    "mean of frame means",
    "median of frame means",
)
_WHOLE: Final = ("mean over tracks", "median over tracks")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Numbers that may share a column."""

    dataset: str
    references: str
    target: str
    protocol: str
    metric: str
    version: int

    @property
    def label(self) -> str:
        """How a reader names it."""
        return f"{self.protocol} {self.metric}"


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one board."""

    model: str
    value: float | None
    low: float | None
    high: float | None
    tracks: int
    expected: int
    missing: float
    ill_conditioned: float


@dataclass(frozen=True, slots=True)
class Board:
    """A series under one aggregation, the best first."""

    series: Series
    aggregation: str
    rows: tuple[Row, ...]
    higher_is_better: bool = True
    unit: str = "dB"


@dataclass(frozen=True)
class Boards:
    """All boards of a report, and the one that stands on its first screen."""

    by_series: dict[Series, dict[str, Board]]
    headline: Board

    def default(self, series: Series) -> Board:
        """The board of a series under the aggregation that its protocol usually has."""
        return next(iter(self.by_series[series].values()))

    def beside(self, series: Series) -> list[Series]:
        """The same numbers for every target of the same references."""
        same = [
            other
            for other in self.by_series
            if (other.dataset, other.references, other.protocol, other.metric, other.version)
            == (series.dataset, series.references, series.protocol, series.metric, series.version)
        ]
        return sorted(same, key=lambda other: _place(TARGETS, other.target))


def boards(reading: Reading) -> Boards:
    """Every board, with bootstrap intervals over tracks."""
    made: dict[Series, dict[str, Board]] = {}
    medians, means = _comparable(reading.medians), _comparable(reading.means)
    framed = _framed_protocols(medians)
    for name in (*_FRAMED, *_WHOLE):
        way = AGGREGATIONS[name]
        table = means if way.frames == "mean" else medians
        chosen = table["protocol"].isin(framed) == (way.frames is not None)
        if chosen.any():
            _collect(made, leaderboard(table[chosen], name), name)
    ordered = dict(sorted(made.items(), key=lambda item: _order(item[0])))
    return Boards(ordered, _headline(ordered))


def _comparable(table: pd.DataFrame) -> pd.DataFrame:
    protocols = [
        name for name in table["protocol"].unique() if not str(name).startswith(_ELSEWHERE)
    ]
    return table[table["protocol"].isin(protocols) & table["band_lo_hz"].isna()]


def _framed_protocols(table: pd.DataFrame) -> set[str]:
    return {str(name) for name in table.loc[table["frames"] > 1, "protocol"].unique()}


def _collect(made: dict[Series, dict[str, Board]], table: pd.DataFrame, name: str) -> None:
    keys = ["dataset", "reference_set", "target", "protocol", "metric", "metric_version"]
    for _, part in table.groupby(keys, observed=True, sort=False):
        first = part.iloc[0]
        series = Series(
            dataset=str(first["dataset"]),
            references=str(first["reference_set"]),
            target=str(first["target"]),
            protocol=str(first["protocol"]),
            metric=str(first["metric"]),
            version=int(first["metric_version"]),
        )
        rows = tuple(sorted((_row(row) for row in part.to_dict("records")), key=_best_first))
        made.setdefault(series, {})[name] = Board(series, name, rows)


def _row(row: dict[Any, Any]) -> Row:
    return Row(
        str(row["model"]),
        number(row["value"]),
        number(row["lo"]),
        number(row["hi"]),
        int(row["tracks"]),
        int(row["expected"]),
        float(row["missing_rate"]),
        float(row["ill_conditioned"]),
    )


def number(value: float) -> float | None:
    """A finite number, or None."""
    return float(value) if np.isfinite(value) else None


def _best_first(row: Row) -> tuple[bool, float, str]:
    return row.value is None, -(row.value or 0.0), row.model


def _place(order: tuple[str, ...], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _order(series: Series) -> tuple[Any, ...]:
    return (
        series.dataset,
        -len(series.references.split("+")),
        series.references,
        _place(TARGETS, series.target),
        series.target,
        _place(PROTOCOLS, series.protocol),
        series.protocol,
        _place(METRICS, series.metric),
        series.metric,
        -series.version,
    )


def _headline(made: dict[Series, dict[str, Board]]) -> Board:
    """The board that most models share, of the best-known protocol and target."""

    def worth(series: Series) -> tuple[Any, ...]:
        board = next(iter(made[series].values()))
        return (
            -len(board.rows),
            _place(PROTOCOLS, series.protocol),
            _place(METRICS, series.metric),
            *_order(series),
        )

    return next(iter(made[min(made, key=worth)].values()))


def matrix(
    table: pd.DataFrame, series: Series, models: Iterable[str], tracks: list[str]
) -> npt.NDArray[np.float64]:
    """Values of shape (models, tracks) of one series, NaN where there is none."""
    rows = table[
        (table["dataset"] == series.dataset)
        & (table["reference_set"] == series.references)
        & (table["target"] == series.target)
        & (table["protocol"] == series.protocol)
        & (table["metric"] == series.metric)
        & (table["metric_version"] == series.version)
        & table["band_lo_hz"].isna()
    ]
    names = list(models)
    plain = rows[["model", "track", "value"]].astype({"model": "object", "track": "object"})
    wide = plain.pivot(index="model", columns="track", values="value")
    return wide.reindex(index=names, columns=tracks).to_numpy(dtype=np.float64)
