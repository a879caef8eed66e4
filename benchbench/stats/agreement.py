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
BLOCK: Final = 100
"""Resamples that are computed at once."""


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
        By metric, then by kind. Kinds without pairs are left out, and a kind that all pairs belong
        to is only given as ``all``.
    """
    rng = np.random.default_rng(SEED)
    songs, listeners = len(ratings.songs), ratings.values.shape[2]
    drawn_songs = rng.integers(songs, size=(resamples, songs))
    drawn_listeners = rng.integers(listeners, size=(resamples, listeners))
    drawn_means = np.stack([_mean(ratings.values[:, :, drawn]) for drawn in drawn_listeners])
    mean = _mean(ratings.values)
    every_pair = [(i, j) for i in range(len(ratings.models)) for j in range(i)]
    agreements = []
    for kind in KINDS:
        pairs = [p for p in every_pair if kind.holds(*(bool(ratings.generative[m]) for m in p))]
        if not pairs or (kind.first is not None and len(pairs) == len(every_pair)):
            continue
        heard = np.sign(np.round(_differences(mean, pairs), 9))
        measured = {name: np.sign(_differences(values, pairs)) for name, values in metrics.items()}
        shares = _drawn_shares(drawn_means, drawn_songs, pairs, measured)
        for name, order in measured.items():
            right, counted = _agreed(heard, order)
            total = int(counted.sum())
            if total:
                low, high = np.nanpercentile(shares[name], [2.5, 97.5])
                share = float(right.sum() / total)
                agreements.append(Agreement(name, kind.name, total, share, float(low), float(high)))
    places = {name: place for place, name in enumerate(metrics)}
    return sorted(agreements, key=lambda each: places[each.metric])


def _drawn_shares(
    means: Floats,
    songs: npt.NDArray[np.int64],
    pairs: list[tuple[int, int]],
    measured: Mapping[str, Floats],
) -> dict[str, Floats]:
    """The share of agreeing pairs in each resample of listeners (`means`) and of `songs`."""
    shares: dict[str, Floats] = {name: np.full(len(means), np.nan) for name in measured}
    for start in range(0, len(means), BLOCK):
        block = slice(start, start + BLOCK)
        heard = np.sign(np.round(_differences(means[block], pairs), 9))
        for name, order in measured.items():
            right, counted = (
                np.take_along_axis(by_song, songs[block], axis=1).sum(axis=1)
                for by_song in _agreed(heard, order)
            )
            shares[name][block] = _ratio(right, counted)
    return shares


def _mean(ratings: Floats) -> Floats:
    """Means over listeners; NaN where none rated."""
    counts = (~np.isnan(ratings)).sum(axis=2)
    return _ratio(np.nansum(ratings, axis=2), counts)


def _ratio(sums: Floats, counts: Floats) -> Floats:
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _differences(values: Floats, pairs: list[tuple[int, int]]) -> Floats:
    """First minus second model of each pair: (..., models, songs) to (..., pairs, songs)."""
    first, second = np.array(pairs).T
    return np.asarray(values[..., first, :] - values[..., second, :])


def _agreed(heard: Floats, measured: Floats) -> tuple[Floats, Floats]:
    """Per song: number of pairs in the same order (ties of the metric count half), and of pairs."""
    counted = (np.nan_to_num(heard) != 0) & ~np.isnan(measured)
    right = np.where(counted, (1.0 + heard * measured) / 2.0, 0.0)
    return right.sum(axis=-2), counted.sum(axis=-2, dtype=np.float64)
