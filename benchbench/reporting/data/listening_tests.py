"""The listening tests in a results folder, and how far each metric agrees with their listeners."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench import metrics
from benchbench.errors import UnknownNameError
from benchbench.metrics.names import LISTENING, ONE_LISTENER
from benchbench.reporting.data.leaderboards import described
from benchbench.reporting.data.track_rows import TrackRows
from benchbench.stats import AGGREGATIONS
from benchbench.stats.agreement import Agreement, Ratings, agreement

__all__ = ["ListeningTest", "listening_tests"]

_LEFT_OUT: Final = ("bleed", "windows")
"""Protocols of single sources and single moments, which rank no models."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ListeningTest:
    """Ratings of one target on one data set, and the metrics of the rated models.

    Parameters
    ----------
    dataset, target
        What was rated.
    ratings
        The ratings by model, song and listener.
    values
        ``protocol metric`` to its values of shape (models, songs), with signs such that higher is
        better.
    """

    dataset: str
    target: str
    ratings: Ratings
    values: Mapping[str, Floats]

    @cached_property
    def agreements(self) -> tuple[Agreement, ...]:
        """The agreement of every metric, best over all pairs first; within a metric by kind."""
        every = agreement(self.ratings, self.values)
        total = {each.metric: each.share for each in every if each.kind == "all"}
        return tuple(sorted(every, key=lambda each: -total[each.metric]))


def listening_tests(
    tracks: TrackRows, generative: Collection[str] = ()
) -> tuple[ListeningTest, ...]:
    """The listening tests of a results folder, the one with most rated models first.

    Parameters
    ----------
    tracks
        Rows of `benchbench.reporting.data.loading.LoadedResults.tracks`, whose ratings bear the
        names of the scored models.
    generative
        The generative models.
    """
    if LISTENING.name not in tracks.present("protocol"):
        return ()
    table = tracks.whole()
    heard = table[table["protocol"] == LISTENING.name]
    single = heard[heard["metric"].astype(str).str.startswith(ONE_LISTENER)]
    others = table[(table["protocol"] != LISTENING.name) & table["band_lo_hz"].isna()]
    tests = []
    for (dataset, target), rows in single.groupby(["dataset", "target"], observed=True, sort=True):
        ratings = _ratings(rows, generative)
        here = (others["dataset"] == dataset) & (others["target"] == target)
        values = dict(_values(others[here & others["model"].isin(ratings.models)], ratings))
        tests.append(ListeningTest(str(dataset), str(target), ratings, values))
    return tuple(sorted(tests, key=lambda test: -len(test.ratings.models)))


def _ratings(rows: pd.DataFrame, generative: Collection[str]) -> Ratings:
    models, songs = (tuple(sorted({str(x) for x in rows[name]})) for name in ("model", "track"))
    tables = [
        _table(part, "value", models, songs)
        for _, part in rows.groupby("metric", sort=True, observed=True)
    ]
    kinds = np.array([name in generative for name in models])
    return Ratings(models, songs, np.stack(tables, axis=2), kinds)


def _values(rows: pd.DataFrame, ratings: Ratings) -> Iterator[tuple[str, Floats]]:
    """Every metric that ranks models, in the reference set with most values of rated models."""
    for (protocol, metric), part in rows.groupby(["protocol", "metric"], sort=True, observed=True):
        about = described(str(protocol), str(metric))
        ranks = not (about.diagnostic or metric in metrics.DIAGNOSTICS)
        if not ranks or str(protocol).startswith(_LEFT_OUT):
            continue
        column = "mean" if _frames(str(protocol)) == "mean" else "value"
        tables = [
            _table(same, column, ratings.models, ratings.songs)
            for _, same in part.groupby(["reference_set", "metric_version"], observed=True)
        ]
        fullest = max(tables, key=lambda table: int(np.isfinite(table).sum()))
        sign = -1.0 if about.direction == "lower" else 1.0
        yield f"{protocol} {metric}", sign * fullest


def _frames(protocol: str) -> str | None:
    """How the protocol summarises the frames of a track."""
    try:
        return AGGREGATIONS[metrics.protocol(protocol).aggregation].frames
    except (UnknownNameError, KeyError):
        return None


def _table(
    rows: pd.DataFrame, column: str, models: tuple[str, ...], songs: tuple[str, ...]
) -> Floats:
    wide = rows.pivot_table(column, "model", "track", aggfunc="mean", observed=True, dropna=False)
    return wide.reindex(index=list(models), columns=list(songs)).to_numpy(dtype=np.float64)
