"""Wilcoxon's signed-rank test of many columns of differences at once."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import scipy
from scipy.special import ndtr

__all__ = ["signed_ranks"]

EXACT_UP_TO: Final = 50
"""Above this many differences, SciPy's Wilcoxon test is the normal approximation."""

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]


def signed_ranks(differences: Floats) -> tuple[Floats, Floats]:
    """The p value of Wilcoxon's test and the rank-biserial effect of every row.

    The test is two-sided and splits ties with zero. Where no difference of a row is other than
    zero, p is 1 and the effect 0; a row without any value has NaN for both.

    Parameters
    ----------
    differences
        Shape (rows, tracks); NaN marks a track that does not count.

    Examples
    --------
    >>> p, effect = signed_ranks(np.array([[1.0, 2.0, 3.0, -0.5, np.nan]]))
    >>> p.tolist(), effect.tolist()
    ([0.25], [0.8])
    """
    keys = _sorted_keys(differences)
    counts = np.count_nonzero(~np.isnan(differences), axis=1)
    answer = np.full((2, len(differences)), np.nan)
    for row, (ordered, count) in enumerate(zip(keys, counts, strict=True)):
        if count:
            answer[:, row] = _test(ordered[:count], differences[row])
    return answer[0], answer[1]


def _sorted_keys(differences: Floats) -> Keys:
    """Each row as integers in the order of magnitude; the lowest bit is the sign, NaN is last.

    Sorting integers takes two thirds of the time of an argsort of the magnitudes.
    """
    bits = np.ascontiguousarray(differences).view(np.uint64)
    keys = bits << np.uint64(1)
    keys |= bits >> np.uint64(63)
    keys.sort(axis=1)
    return keys


def _test(keys: Keys, differences: Floats) -> tuple[float, float]:
    """P and effect of one row, from its keys without those of NaN."""
    count = len(keys)
    magnitudes, negative = keys >> np.uint64(1), (keys & np.uint64(1)).astype(bool)
    if not magnitudes[-1]:
        return 1.0, 0.0
    total = count * (count + 1) / 2
    tied = 0.0
    if magnitudes[0] and (magnitudes[1:] != magnitudes[:-1]).all():
        minus = float(np.flatnonzero(negative).sum() + np.count_nonzero(negative))
        plus = total - minus
    else:
        ranks, tied = _average_ranks(magnitudes)
        plus = float(ranks[~negative & (magnitudes > 0)].sum())
        minus = float(ranks[negative & (magnitudes > 0)].sum())
    effect = (plus - minus) / total
    if count < 3:  # with two differences the smallest possible p is 0.5
        return 1.0, effect
    if count <= EXACT_UP_TO:
        values = differences[~np.isnan(differences)]
        return float(scipy.stats.wilcoxon(values, zero_method="zsplit").pvalue), effect
    # The normal approximation that SciPy uses for more, from the ranks that are known already.
    positive = plus + (total - plus - minus) / 2
    variance = (count * (count + 1) * (2 * count + 1) - tied / 2) / 24
    return float(2 * ndtr(-abs(positive - total / 2) / variance**0.5)), effect


def _average_ranks(ascending: Keys) -> tuple[Floats, float]:
    """Average ranks of sorted values, and the sum of t^3 - t over groups of t equal values."""
    first = np.append(0, np.flatnonzero(ascending[1:] != ascending[:-1]) + 1)
    sizes = np.diff(first, append=len(ascending)).astype(np.float64)
    return np.repeat(first + (sizes + 1) / 2, sizes.astype(np.intp)), float(
        (sizes**3 - sizes).sum()
    )
