"""One number per model, target and metric, with its interval over tracks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.errors import UsageError
from benchbench.stats.aggregations import DEFAULT, Aggregation, aggregation_named
from benchbench.stats.bootstrap import LEVEL, RESAMPLES, SEED, bootstrap_columns
from benchbench.stats.groups import group_by
from benchbench.stats.tracks import BLOCK, per_track

__all__ = ["leaderboard"]

Floats = npt.NDArray[np.float64]


def leaderboard(
    scores: pd.DataFrame,
    aggregation: str | Mapping[str, str] = DEFAULT,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Every model's number on every target, metric and band.

    Parameters
    ----------
    scores
        Score rows, or the result of `per_track`.
    aggregation
        A key of `AGGREGATIONS`, or a mapping from protocol names to keys.
    level, resamples, seed
        Parameters of the bootstrap over tracks. Tracks are sorted by name first, so the order of
        the rows does not change the interval.

    Returns
    -------
    DataFrame
        Columns: model, dataset, target, reference_set, protocol, metric, metric_version,
        band_lo_hz, band_hi_hz, ``value``, ``lo``, ``hi`` (BCa interval), ``tracks`` (that have
        a value), ``expected`` (tracks on which any model has a row there), ``missing_rate`` (share
        of the expected tracks' frames without a value; a whole missing track counts as all of its
        frames), ``ill_conditioned`` and ``distrusted`` (mean share of frames), ``aggregation``,
        ``seed``. The order of the rows is unspecified.

    Raises
    ------
    UnknownNameError
        For an unknown aggregation.
    UsageError
        When a per-track table summarises frames in another way than `aggregation`.
    """
    protocols = [str(name) for name in scores["protocol"].unique()]
    chosen = {name: _chosen(aggregation, name) for name in protocols}
    tables = []
    for way in {item.name: item for item in chosen.values()}.values():
        wanted = [name for name in protocols if chosen[name] == way]
        table = _by_track(scores[scores["protocol"].isin(wanted)], way)
        tables.append(_leaders(table, way, level, resamples, seed))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


_COLUMNS = [
    "model",
    *BLOCK,
    "value",
    "lo",
    "hi",
    "tracks",
    "expected",
    "missing_rate",
    "ill_conditioned",
    "distrusted",
    "aggregation",
    "seed",
]


def _chosen(aggregation: str | Mapping[str, str], protocol: str) -> Aggregation:
    if isinstance(aggregation, str):
        return aggregation_named(aggregation)
    return aggregation_named(aggregation.get(protocol, DEFAULT))


def _by_track(scores: pd.DataFrame, way: Aggregation) -> pd.DataFrame:
    if "frames" not in scores:
        return per_track(scores, way.frames or "median")
    done = scores.attrs.get("frames", way.frames)
    if way.frames not in (None, done) and (scores["frames"] > 1).any():
        raise UsageError(
            f"{way.name!r} needs the {way.frames} over frames; this table holds the {done}.",
            hint=f"Give the score rows, or per_track(scores, frames={way.frames!r}).",
        )
    return scores


def _leaders(
    table: pd.DataFrame, way: Aggregation, level: float, resamples: int, seed: int
) -> pd.DataFrame:
    keys = ["model", "run_id"] if "run_id" in table else ["model"]
    blocks = group_by(table, BLOCK).members()
    rows: list[pd.DataFrame] = []
    for positions in blocks:
        block = table.iloc[positions]
        models = group_by(block, keys)
        tracks = group_by(block, ["track"])
        row = _by_name(block["track"].iloc[tracks.first])[tracks.of_row]
        matrix = np.full((tracks.count, models.count), np.nan)
        matrix[row, models.of_row] = block["value"].to_numpy()
        low, high = bootstrap_columns(
            matrix, way.tracks, level=level, resamples=resamples, seed=seed
        )
        made = block[[*keys, *BLOCK]].iloc[models.first].reset_index(drop=True)
        tracks_with_value = np.count_nonzero(~np.isnan(matrix), axis=0)
        made["value"] = _summary(matrix, way)
        made["lo"], made["hi"] = low, high
        made["tracks"], made["expected"] = tracks_with_value, tracks.count
        frames = np.full_like(matrix, np.nan)
        frames[row, models.of_row] = 1 - block["missing"] / block["frames"]
        made["missing_rate"] = 1 - np.nan_to_num(frames).mean(axis=0)
        for flag in ("ill_conditioned", "distrusted"):
            made[flag] = models.mean(block[flag].to_numpy(dtype=np.float64))
        rows.append(made)
    made = pd.concat([_plain(row) for row in rows], ignore_index=True)
    return made.assign(aggregation=way.name, seed=seed)


def _by_name(tracks: pd.Series) -> npt.NDArray[np.intp]:
    """The rank of every track by name, so that draws do not depend on the order of rows."""
    places = np.empty(len(tracks), dtype=np.intp)
    places[np.argsort(tracks.astype("str").to_numpy(dtype=object))] = np.arange(len(tracks))
    return places


def _summary(matrix: Floats, way: Aggregation) -> Floats:
    answer = np.full(matrix.shape[1], np.nan)
    some = ~np.isnan(matrix).all(axis=0)
    function = np.nanmean if way.tracks == "mean" else np.nanmedian
    answer[some] = function(matrix[:, some], axis=0)
    return answer


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text instead of categoricals, because blocks are concatenated; the table is small."""
    text = [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(text, "str"))
