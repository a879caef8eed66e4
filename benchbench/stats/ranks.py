"""Tests of many models at once: whether any differ, and which are indistinguishable.

Source: Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006),
with tracks instead of data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import scipy

from benchbench.errors import NothingToCompareError
from benchbench.stats.tracks import wide

__all__ = ["CriticalDifference", "Friedman", "critical_difference", "friedman"]

Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Friedman:
    """Friedman's test of the hypothesis that all models have equal ranks.

    Parameters
    ----------
    statistic, p
        Friedman's chi-square, corrected for ties, and its p value.
    f_statistic, f_p
        The less conservative F statistic of Iman and Davenport (1980), and its p value.
    tracks, models
        Number of tracks on which every model has a value, and number of models.
    """

    statistic: float
    p: float
    f_statistic: float
    f_p: float
    tracks: int
    models: int


@dataclass(frozen=True, slots=True)
class CriticalDifference:
    """The data of a critical-difference diagram.

    Parameters
    ----------
    ranks
        The average rank of each model (1 is best), best first.
    cd
        Average ranks that differ by more than this are significantly different (Nemenyi).
    groups
        The longest runs of models that are not distinguishable from each other; groups overlap.
    alpha, tracks
        The significance level, and the number of tracks on which every model has a value.
    """

    ranks: pd.Series
    cd: float
    groups: tuple[tuple[str, ...], ...]
    alpha: float
    tracks: int


def friedman(table: pd.DataFrame) -> Friedman:
    """Test whether any model differs from the others.

    Parameters
    ----------
    table
        Rows of `per_track` for one target and metric, or a table of one column per model and one
        row per track. Tracks on which any model has no value are left out.

    Raises
    ------
    NothingToCompareError
        With fewer than three models or two such tracks.
    """
    matrix = _complete(table, models=3)
    n, k = matrix.shape
    values = matrix.to_numpy()
    if (values == values[:, :1]).all():
        return Friedman(0.0, 1.0, 0.0, 1.0, n, k)
    result = scipy.stats.friedmanchisquare(*values.T)
    chi = float(result.statistic)
    rest = n * (k - 1) - chi
    f = (n - 1) * chi / rest if rest > 0 else float("inf")
    return Friedman(
        chi, float(result.pvalue), f, float(scipy.stats.f.sf(f, k - 1, (k - 1) * (n - 1))), n, k
    )


def critical_difference(
    table: pd.DataFrame, *, alpha: float = 0.05, direction: Direction = "higher"
) -> CriticalDifference:
    """Average ranks, and groups of models that do not differ significantly.

    Parameters
    ----------
    table
        As for `friedman`, with at least two models.
    alpha
        The significance level of the Nemenyi test.
    direction
        Whether ``"higher"`` or ``"lower"`` values are better.

    Notes
    -----
    CD = q(alpha) sqrt(k (k + 1) / (6 n)), where q is the quantile of the studentized range for k
    models and infinite degrees of freedom, divided by sqrt(2).
    """
    matrix = _complete(table, models=2)
    n, k = matrix.shape
    ranks = matrix.rank(axis=1, ascending=direction == "lower").mean().sort_values(kind="stable")
    ranks.index = ranks.index.astype("str")
    quantile = float(scipy.stats.studentized_range.ppf(1 - alpha, k, np.inf)) / 2**0.5
    cd = quantile * (k * (k + 1) / (6 * n)) ** 0.5
    return CriticalDifference(ranks, cd, _groups(ranks, cd), alpha, n)


def _groups(ranks: pd.Series, cd: float) -> tuple[tuple[str, ...], ...]:
    """Maximal runs of at least two neighbours whose ranks lie within `cd`."""
    values = ranks.to_numpy(dtype=np.float64)
    names = [str(name) for name in ranks.index]
    groups: list[tuple[str, ...]] = []
    reached = 0
    for start in range(len(names)):
        end = int(np.searchsorted(values, values[start] + cd, side="right"))
        if end > reached and end - start > 1:
            groups.append(tuple(names[start:end]))
        reached = max(reached, end)
    return tuple(groups)


def _complete(table: pd.DataFrame, models: int) -> pd.DataFrame:
    matrix = wide(table) if {"model", "track", "value"} <= set(table.columns) else table
    matrix = matrix.dropna(axis="index", how="any").round(9)
    if matrix.shape[1] < models or len(matrix) < 2:
        raise NothingToCompareError(
            f"{matrix.shape[1]} models share {len(matrix)} tracks; ranking needs at least "
            f"{models} models and 2 tracks on which each has a value.",
            hint="A model that failed on every track leaves no shared track: leave it out.",
        )
    return matrix
