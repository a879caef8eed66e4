"""BCa (bias-corrected and accelerated) bootstrap intervals of means and medians by column.

SciPy's ``bootstrap`` is general, so it resamples every column separately and its jackknife needs
n by n numbers. For the mean and the median there are closed forms or cheaper exact methods:

- The draws of a mean are a matrix product of resampling counts and values; the same counts serve
  all columns.
- A bootstrap sample is ``x[ceil(n U)]`` with uniform U, so its median needs only the middle order
  statistics of n uniforms, which are Beta distributed: drawing these gives bootstrap medians
  without drawing samples.
- The jackknife of a mean is linear in the values; that of a median takes at most three values.

Source of the interval: Efron, "Better bootstrap confidence intervals", JASA 82 (1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from benchbench.stats.aggregations import Summary
from benchbench.stats.resampling import resampling

__all__ = ["LEVEL", "RESAMPLES", "SEED", "Interval", "bootstrap_columns", "bootstrap_interval"]

SEED: Final = 20180706
RESAMPLES: Final = 2000
LEVEL: Final = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval and its parameters.

    Parameters
    ----------
    low, high
        The bounds, in the unit of the values; NaN for fewer than two values.
    level
        The nominal coverage.
    resamples, seed
        Number of bootstrap samples, and seed; with both, the bounds can be reproduced exactly.
    """

    low: float
    high: float
    level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = SEED


def bootstrap_interval(
    values: npt.ArrayLike,
    statistic: Summary = "mean",
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """The BCa interval of the mean or the median of one sample; NaN values are left out."""
    column = np.asarray(values, dtype=np.float64).reshape(-1, 1)
    column = column[~np.isnan(column[:, 0])]
    low, high = bootstrap_columns(column, statistic, level=level, resamples=resamples, seed=seed)
    return Interval(float(low[0]), float(high[0]), level, resamples, seed)


def bootstrap_columns(
    values: Floats,
    statistic: Summary,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[Floats, Floats]:
    """BCa intervals of the mean or the median of every column.

    Parameters
    ----------
    values
        Shape (tracks, columns); NaN where a track has no value. All columns are resampled together:
        the unit is a track with all its values and gaps.
    statistic
        ``"mean"`` or ``"median"``.
    level, resamples, seed
        Coverage, number of bootstrap samples, and seed.

    Returns
    -------
    low, high
        Both of shape (columns,); NaN for columns with fewer than two values.
    """
    low = np.full(values.shape[1], np.nan)
    high = low.copy()
    enough = np.count_nonzero(~np.isnan(values), axis=0) >= 2
    if not enough.any():
        return low, high
    chosen = values[:, enough]
    if statistic == "mean":
        draws = _draws_of_means(chosen, resamples, seed)
        estimate, acceleration = _means(chosen), _acceleration_of_means(chosen)
    else:
        ranked = [np.sort(column[~np.isnan(column)]) for column in chosen.T]
        draws = _draws_of_medians(ranked, resamples, seed)
        estimate = np.array([_median(ordered) for ordered in ranked])
        acceleration = _acceleration_of_medians(ranked)
    low[enough], high[enough] = _bca(draws, estimate, acceleration, level)
    return low, high


def _bca(
    draws: Floats, estimate: Floats, acceleration: Floats, level: float
) -> tuple[Floats, Floats]:
    """Efron's interval from draws (resamples, columns), estimates and accelerations (columns,)."""
    drawn = np.count_nonzero(~np.isnan(draws), axis=0)
    below = np.count_nonzero(draws < estimate, axis=0) + np.count_nonzero(draws <= estimate, axis=0)
    # A share of 0 or 1 would make the bias infinite; the draws resolve half a draw at best.
    share = np.clip(below / (2 * drawn), 0.5 / drawn, 1 - 0.5 / drawn)
    bias = ndtri(share)
    ranked = np.sort(draws, axis=0)
    bounds = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        shifted = bias + ndtri(tail)
        quantile = ndtr(bias + shifted / (1 - acceleration * shifted))
        bounds.append(_quantile(ranked, drawn, quantile))
    return bounds[0], bounds[1]


def _quantile(ranked: Floats, there: npt.NDArray[np.intp], quantile: Floats) -> Floats:
    """A separate quantile of each sorted column, by linear interpolation; NaN is sorted last."""
    place = quantile * (there - 1)
    under = np.floor(place).astype(np.intp)
    over = np.minimum(under + 1, there - 1)
    column = np.arange(ranked.shape[1])
    low, high = ranked[under, column], ranked[over, column]
    return np.asarray(low + (high - low) * (place - under), dtype=np.float64)


def _means(values: Floats) -> Floats:
    return np.asarray(np.nanmean(values, axis=0), dtype=np.float64)


def _draws_of_means(values: Floats, resamples: int, seed: int) -> Floats:
    has_value = ~np.isnan(values)
    centre = _means(values)  # summing distances from the mean keeps the digits of close values
    filled = np.where(has_value, values - centre, 0.0)
    drawn = resampling(len(values), resamples, seed, "int32")
    draws = np.empty((resamples, values.shape[1]))
    for part, weights in drawn.weights():
        np.matmul(weights, filled, out=draws[part])
    number = drawn.with_value(has_value)
    np.divide(draws, number, out=draws, where=number > 0)
    draws[number == 0] = np.nan
    draws += centre
    return draws


def _acceleration_of_means(values: Floats) -> Floats:
    """Skewness of the jackknife over six: leaving x out moves a mean by (mean - x) / (n - 1)."""
    influence = values - _means(values)
    influence[np.isnan(influence)] = 0.0
    return _acceleration(influence)


def _acceleration(influence: Floats) -> Floats:
    squared = influence * influence
    spread = squared.sum(axis=0)
    flat = spread <= np.finfo(float).tiny
    cubed = np.where(flat, 0.0, (squared * influence).sum(axis=0))
    return np.asarray(cubed / (6 * np.where(flat, 1.0, spread) ** 1.5), dtype=np.float64)


def _draws_of_medians(ranked: Sequence[Floats], resamples: int, seed: int) -> Floats:
    """Bootstrap medians, of shape (resamples, columns), from the sorted values of each column."""
    uniforms: dict[int, tuple[Floats, Floats]] = {}
    draws = np.empty((len(ranked), resamples))
    for row, ordered in zip(draws, ranked, strict=True):
        count = len(ordered)
        if count not in uniforms:
            uniforms[count] = _middle_uniforms(count, resamples, seed)
        low, high = (
            ordered[np.minimum((uniform * count).astype(np.intp), count - 1)]
            for uniform in uniforms[count]
        )
        row[:] = (low + high) / 2
    return draws.T


def _middle_uniforms(count: int, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Draws of the two middle order statistics of `count` uniforms (equal if `count` is odd).

    The k-th of n uniforms is Beta(k, n - k + 1); given it, the next one is the smallest of n - k
    uniforms on the interval above it.
    """
    generator = np.random.default_rng(seed)
    lower = (count + 1) // 2
    low = generator.beta(lower, count - lower + 1, size=resamples)
    if count % 2:
        return low, low
    least = -np.expm1(np.log1p(-generator.random(resamples)) / (count - lower))
    return low, low + (1 - low) * least


def _acceleration_of_medians(ranked: Sequence[Floats]) -> Floats:
    return np.array([_acceleration(_influence_on_median(ordered)) for ordered in ranked])


def _median(ordered: Floats) -> float:
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def _influence_on_median(ranked: Floats) -> Floats:
    """Mean of the leave-one-out medians minus each of them, for sorted values."""
    count = len(ranked)
    half = count // 2
    left_out = np.empty(count)
    if count % 2:
        above = (ranked[half] + ranked[min(half + 1, count - 1)]) / 2
        below = (ranked[max(half - 1, 0)] + ranked[half]) / 2
        left_out[:half], left_out[half + 1 :] = above, below
        left_out[half] = (ranked[max(half - 1, 0)] + ranked[min(half + 1, count - 1)]) / 2
    else:
        left_out[:half], left_out[half:] = ranked[half], ranked[half - 1]
    return np.asarray(left_out.mean() - left_out, dtype=np.float64)
