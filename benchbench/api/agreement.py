"""Agreement between metrics and the ratings of a listening test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.errors import BenchbenchError, NothingToCompareError, UnknownNameError
from benchbench.metrics import metric as metric_named
from benchbench.metrics.names import LISTENING
from benchbench.results.kinds import generative_models
from benchbench.results.store import Results, open_results
from benchbench.scoring.metric_descriptions import describe_folders
from benchbench.stats import newest, per_track
from benchbench.stats.agreement import Agreement, Ratings
from benchbench.stats.agreement import agreement as measured

__all__ = ["agreement"]

_LISTENER: Final = "rating-of:"


def agreement(results: Path | str = "results", *, target: str | None = None) -> list[Agreement]:
    """Compare every stored metric with the ratings of listeners in the same results.

    For each pair of models on one track, a metric agrees if it orders the two as the listeners'
    mean ratings do. Pairs with equal ratings do not count.

    Parameters
    ----------
    results
        A results folder with ratings (`bench import webmushra`, `bench import ratings`).
    target
        The rated target; needed if there are several.

    Returns
    -------
    list of Agreement
        Sorted by agreement over all pairs, best metric first; within a metric by kind of pair.

    Raises
    ------
    NothingToCompareError
        When the results hold no ratings, or ratings of a single model.
    UnknownNameError
        When the target has no ratings.
    """
    folder = open_results(Path(results))
    runs = folder.runs()
    describe_folders(runs=runs)
    scores = newest(folder.scores_frame(), [str(run.get("run_id")) for run in runs])
    scores = scores[scores["band_lo_hz"].isna()].astype(
        dict.fromkeys(("model", "track", "target", "protocol", "metric", "dataset"), "object")
    )
    heard = scores[scores["protocol"] == LISTENING.name]
    if heard.empty:
        raise NothingToCompareError(
            f"{folder.root} contains no listener ratings.",
            hint="bench import webmushra ANSWERS.csv imports them; see docs/exchange.md.",
        )
    heard = heard.assign(model=_own_names(heard["model"], folder.models()))
    known = sorted(heard["target"].unique())
    if target is not None and target not in known:
        raise UnknownNameError("target", target, known, where=" among the rated ones")
    of_target = heard[heard["target"] == (target or known[0])]
    ratings = _ratings(of_target, generative_models(runs), folder)
    others = scores[
        (scores["protocol"] != LISTENING.name) & (scores["target"] == (target or known[0]))
    ]
    shares = measured(ratings, _metrics(others, ratings))
    total = {one.metric: one.share for one in shares if one.kind == "all"}
    return sorted(shares, key=lambda one: -total.get(one.metric, 0.0))


def _own_names(rated: pd.Series, stored: Sequence[str]) -> list[str]:
    """Map rated models to the names of scored ones: ``panel:irm:2stems`` is ``irm:2stems``.

    Ratings of a test exported from these results are imported with the source's name as prefix.
    """
    scored = set(stored)
    plain = {str(name): str(name).partition(":")[2] for name in rated.unique()}
    return [plain[name] if plain[name] in scored else str(name) for name in rated]


def _ratings(rows: pd.DataFrame, generative: frozenset[str], folder: Results) -> Ratings:
    single = rows[rows["metric"].str.startswith(_LISTENER)]
    models, songs = (tuple(sorted(single[name].unique())) for name in ("model", "track"))
    if len(models) < 2:
        raise NothingToCompareError(f"The ratings in {folder.root} are of one model only.")
    tables = [_table(part, models, songs) for _, part in single.groupby("metric", sort=True)]
    kinds = np.array([name in generative for name in models])
    return Ratings(models, songs, np.stack(tables, axis=2), kinds)


def _metrics(rows: pd.DataFrame, ratings: Ratings) -> dict[str, npt.NDArray[np.float64]]:
    """Values of every metric by model and song, with the sign set so that higher is better."""
    if rows.empty:
        return {}
    chosen = {}
    for (protocol, metric), part in per_track(rows, "mean").groupby(
        ["protocol", "metric"], sort=True, observed=True
    ):
        values = _table(part, ratings.models, ratings.songs)
        chosen[f"{protocol} {metric}"] = -values if _lower(str(protocol), str(metric)) else values
    return chosen


def _lower(protocol: str, metric: str) -> bool:
    try:
        return metric_named(protocol, metric).direction == "lower"
    except BenchbenchError:
        return False


def _table(
    rows: pd.DataFrame, models: tuple[str, ...], songs: tuple[str, ...]
) -> npt.NDArray[np.float64]:
    wide = rows.pivot_table("value", "model", "track", aggfunc="mean", observed=True)
    return wide.reindex(index=list(models), columns=list(songs)).to_numpy(dtype=np.float64)
