"""Agreement of a metric with listeners on the order of the separators of a song.

A pair is two models on one song whose mean ratings differ. The metric agrees when it orders them
the same way; a tie of the metric counts half. All pairs for which the metric has both values count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Agreement", "PairKind", "Ratings", "agreement"]

Floats = npt.NDArray[np.float64]

RESAMPLES: Final = 2000
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class PairKind:
    """Which pairs are counted: both masking, both generative, one of each, or all."""

    name: str
    first: bool | None
    second: bool | None

    def holds(self, first: bool, second: bool) -> bool:
        """Whether a pair of models, generative or not, is of this kind."""
        return self.first is None or sorted((first, second)) == sorted((self.first, self.second))  # type: ignore[type-var]


KINDS: Final = (
    PairKind("all", None, None),
    PairKind("masking", False, False),
    PairKind("generative against masking", False, True),
    PairKind("generative", True, True),
)


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings by listeners.

    Attributes
    ----------
    models, songs
        Names of the models and songs.
    values
        float64 of shape (models, songs, listeners), higher is better; NaN where nobody rated.
    generative
        Whether each model is generative, shape (models,).
    """

    models: tuple[str, ...]
    songs: tuple[str, ...]
    values: Floats
    generative: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a metric orders pairs as the listeners do.

    Attributes
    ----------
    metric, kind
        The metric's name, and the name of the `PairKind`.
    pairs
        How many pairs there are.
    share
        Share of pairs in the same order as by the listeners, 0 to 1; NaN without pairs.
    low, high
        95% bootstrap interval over songs and listeners.
    """

    metric: str
    kind: str
    pairs: int
    share: float
    low: float
    high: float


def agreement(
    ratings: Ratings, metrics: Mapping[str, Floats], resamples: int = RESAMPLES
) -> list[Agreement]:
    """Agreement of metrics with listeners by kind of pair.

    Parameters
    ----------
    ratings
        The ratings of the listeners.
    metrics
        Values of shape (models, songs) by name, with signs such that higher is better.
    resamples
        Number of bootstrap samples.

    Returns
    -------
    list of Agreement
        By metric, then by kind; kinds without pairs are left out.
    """
    rng = np.random.default_rng(SEED)
    songs, listeners = len(ratings.songs), ratings.values.shape[2]
    drawn_songs = rng.integers(songs, size=(resamples, songs))
    drawn_listeners = rng.integers(listeners, size=(resamples, listeners))
    pairs = [(i, j) for i in range(len(ratings.models)) for j in range(i)]
    mean = _mean(ratings.values)
    means = [_mean(ratings.values[:, :, chosen]) for chosen in drawn_listeners]
    found = []
    for name, values in metrics.items():
        for kind in KINDS:
            pairs_of_kind = [
                p for p in pairs if kind.holds(*(bool(ratings.generative[m]) for m in p))
            ]
            if not pairs_of_kind:
                continue
            agreed, count = _agreed(mean, values, pairs_of_kind)
            total = int(count.sum())
            if not total:
                continue
            shares = np.empty(resamples)
            for place, (again, chosen) in enumerate(zip(means, drawn_songs, strict=True)):
                right, all_ = _agreed(again, values, pairs_of_kind)
                number = all_[chosen].sum()
                shares[place] = right[chosen].sum() / number if number else np.nan
            low, high = np.nanpercentile(shares, [2.5, 97.5])
            share = float(agreed.sum() / total)
            found.append(Agreement(name, kind.name, total, share, float(low), float(high)))
    return found


def _mean(ratings: Floats) -> Floats:
    """Means over listeners; NaN where none rated."""
    given = ~np.isnan(ratings)
    counts = given.sum(axis=2)
    sums = np.where(given, ratings, 0.0).sum(axis=2)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _agreed(
    ratings: Floats, values: Floats, pairs: list[tuple[int, int]]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Per song: number of pairs in the same order (ties of the metric count half), and of pairs."""
    first, second = np.array(pairs).T
    heard = np.sign(np.round(ratings[first] - ratings[second], 9))
    measured = np.sign(values[first] - values[second])
    counted = (np.nan_to_num(heard) != 0) & ~np.isnan(measured)
    right = np.where(counted, (1.0 + np.nan_to_num(heard * measured)) / 2.0, 0.0)
    return right.sum(axis=0), counted.sum(axis=0)
