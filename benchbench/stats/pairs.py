"""Paired comparison of two models on the same tracks: size and significance of the difference.

The difficulty of a track affects both models alike, so the difference on each track is far more
informative than the two averages. Of 69 pairs of neighbouring public models on 40 shared tracks,
the paired test finds 54 to differ and the unpaired test one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from benchbench.errors import NothingToCompareError
from benchbench.stats.bootstrap import LEVEL, RESAMPLES, SEED, Interval, bootstrap_columns
from benchbench.stats.signed_ranks import signed_ranks
from benchbench.stats.tracks import wide

__all__ = ["POWER", "Paired", "holm", "paired", "paired_columns", "pairwise"]

POWER: Final = 0.8
_DIGITS = 9  # differences are rounded to 1e-9, so that rounding noise does not change ties
_COLUMNS = 32  # pairs held at a time

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """The difference of `b` from `a` over the tracks that both have.

    Parameters
    ----------
    n
        Tracks on which both have a value.
    difference
        Mean over tracks of b minus a.
    interval
        BCa interval of that mean.
    p
        Wilcoxon signed-rank test, two-sided; ties with zero are split (Demšar 2006).
    sign_p
        Sign test, two-sided: it uses only the sign of each difference.
    win_rate
        Share of the tracks on which b is greater; a tie counts half.
    effect
        Matched-pairs rank-biserial correlation in -1..1: (R+ - R-) / (R+ + R-), the rank sums of
        the Wilcoxon test (Kerby 2014).
    detectable
        The true mean difference that a test on n tracks with this spread finds in 80% of all cases:
        (t(1 - alpha/2) + t(power)) s / sqrt(n). Smaller differences may remain undetected.
    """

    n: int
    difference: float
    interval: Interval
    p: float
    sign_p: float
    win_rate: float
    effect: float
    detectable: float


def paired(
    a: pd.Series,
    b: pd.Series,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Paired:
    """Compare two series of values by track.

    Parameters
    ----------
    a, b
        One value per track, with the track as index. Tracks that only one of them has, or on which
        one is NaN, are left out.
    level, resamples, seed
        Parameters of the bootstrap over tracks.

    Raises
    ------
    NothingToCompareError
        When they share no track.
    """
    shared = pd.concat([a, b], axis=1, join="inner").dropna()
    both = shared.sort_index().to_numpy(dtype=np.float64)  # draws must not depend on order
    if not len(both):
        raise NothingToCompareError(
            "No track has a value for both models.",
            hint="Score both on the same data set first.",
        )
    row = paired_columns(
        both[:, 1:] - both[:, :1], level=level, resamples=resamples, seed=seed
    ).iloc[0]
    return Paired(
        n=int(row["n"]),
        difference=float(row["difference"]),
        interval=Interval(float(row["lo"]), float(row["hi"]), level, resamples, seed),
        p=float(row["p"]),
        sign_p=float(row["sign_p"]),
        win_rate=float(row["win_rate"]),
        effect=float(row["effect"]),
        detectable=float(row["detectable"]),
    )


def paired_columns(
    differences: Floats,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    intervals: bool = True,
) -> pd.DataFrame:
    """The fields of `Paired` for every column of differences of shape (tracks, columns).

    NaN marks a track that a pair does not share. Columns: n, difference, lo, hi, p, sign_p,
    win_rate, effect, detectable, worst (the smallest difference), best (the largest). Without
    `intervals` no bootstrap is drawn, and lo and hi are NaN.
    """
    return pd.DataFrame(_paired_arrays(differences.T, level, resamples, seed, intervals))


def _paired_arrays(
    differences: Floats, level: float, resamples: int, seed: int, intervals: bool
) -> dict[str, npt.NDArray[Any]]:
    """The columns of `paired_columns`, for differences of shape (pairs, tracks)."""
    rows: Floats = np.ascontiguousarray(differences).round(_DIGITS)
    present = ~np.isnan(rows)
    n = np.count_nonzero(present, axis=1)
    low = high = np.full(len(rows), np.nan)
    if intervals:
        low, high = bootstrap_columns(rows.T, "mean", level=level, resamples=resamples, seed=seed)
    wins, losses = np.count_nonzero(rows > 0, axis=1), np.count_nonzero(rows < 0, axis=1)
    p, effect = signed_ranks(rows)
    counted = np.maximum(n, 1)
    mean = np.where(n > 0, np.sum(rows, axis=1, where=present) / counted, np.nan)
    return {
        "n": n,
        "difference": mean,
        "lo": low,
        "hi": high,
        "p": p,
        "sign_p": _sign_test(wins, losses),
        "win_rate": np.where(n > 0, (wins + (n - wins - losses) / 2) / counted, np.nan),
        "effect": effect,
        "detectable": _detectable(rows, mean, n, level),
        "worst": np.min(rows, axis=1, initial=np.inf, where=present),
        "best": np.max(rows, axis=1, initial=-np.inf, where=present),
    }


def _sign_test(wins: npt.NDArray[np.intp], losses: npt.NDArray[np.intp]) -> Floats:
    """Two-sided p of the sign test; ties are left out, and without any win or loss it is 1."""
    tail = scipy.stats.binom.cdf(np.minimum(wins, losses), wins + losses, 0.5)
    return np.asarray(np.minimum(1.0, 2.0 * tail), dtype=np.float64)


def _detectable(rows: Floats, mean: Floats, n: npt.NDArray[np.intp], level: float) -> Floats:
    answer = np.full(len(n), np.nan)
    some = n >= 2
    freedom = n[some] - 1
    reach = scipy.stats.t.ppf((1 + level) / 2, freedom) + scipy.stats.t.ppf(POWER, freedom)
    deviation = rows[some] - mean[some, None]
    deviation[np.isnan(deviation)] = 0.0
    spread = np.sqrt((deviation * deviation).sum(axis=1) / freedom)
    answer[some] = reach * spread / np.sqrt(n[some])
    return answer


def holm(p: npt.ArrayLike) -> Floats:
    """Holm's step-down adjustment of p values: valid for any dependence, stronger than Bonferroni.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979). NaN stays NaN and is not counted.
    """
    values = np.asarray(p, dtype=np.float64)
    answer = np.full(values.shape, np.nan)
    with_value = np.flatnonzero(~np.isnan(values))
    order = with_value[np.argsort(values[with_value], kind="stable")]
    stepped = values[order] * np.arange(len(order), 0, -1)
    answer[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return answer


def pairwise(
    table: pd.DataFrame,
    *,
    models: Sequence[str] | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    intervals: bool = True,
) -> pd.DataFrame:
    """Every pair of models on one target and metric.

    Parameters
    ----------
    table
        Rows of `per_track` for one target, reference set, protocol, metric and band, or a table of
        one column per model and one row per track, sorted by track.
    models
        The models to compare, in this order; by default all, sorted by name.
    level, resamples, seed
        Parameters of the bootstrap over tracks, which all pairs share.
    intervals
        Whether to draw the bootstrap; otherwise lo and hi are NaN.

    Returns
    -------
    DataFrame
        One row per pair: ``a``, ``b``, the fields of `Paired` (the difference is b minus a) and
        ``p_holm``, the p value adjusted for all pairs.
    """
    matrix = wide(table) if {"model", "track", "value"} <= set(table.columns) else table
    names = list(models) if models is not None else [str(name) for name in matrix.columns]
    values = np.ascontiguousarray(matrix.reindex(columns=names).to_numpy(dtype=np.float64).T)
    pairs = np.array(list(combinations(range(len(names)), 2)), dtype=np.intp).reshape(-1, 2)
    if not len(pairs):
        return pd.DataFrame(columns=["a", "b", "n", "difference", "p", "p_holm"])
    parts = [
        _paired_arrays(values[right] - values[left], level, resamples, seed, intervals)
        for start in range(0, len(pairs), _COLUMNS)
        for left, right in [pairs[start : start + _COLUMNS].T]
    ]
    columns: dict[str, Any] = {
        side: [names[index] for index in pairs[:, place]] for place, side in enumerate("ab")
    }
    for name in parts[0]:
        columns[name] = np.concatenate([part[name] for part in parts])
        if name == "p":
            columns["p_holm"] = holm(columns["p"])
    return pd.DataFrame(columns)
