"""Training without stems: the objective by its name, and scores on songs that are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..configuration import Configuration
from ..runtime import build_keras
from ..spectrum import Numbers
from ..weights import assign, collect
from .augmentation import MIXTURE, RATE, Song
from .objectives.base import Objective
from .objectives.clusters import Clusters, Unmixing
from .objectives.contrastive import Contrastive
from .objectives.excerpts import WithoutStems
from .objectives.patches import Patches
from .objectives.transfer import Phones, Voicing
from .recipe import Recipe

HELD_OUT = 8
"""Every eighth song is left out of training; scores are of these."""
SCORED = 8
"""Batches that a validation scores, the same at each."""

OBJECTIVES: Mapping[str, Any] = {
    "clusters": Clusters,
    "unmixing": Unmixing,
    "contrastive": Contrastive,
    "patches": Patches,
    "phones": Phones,
    "voicing": Voicing,
}


def prepare(
    network: Any,
    configuration: Configuration,
    recipe: Recipe,
    songs: Sequence[Song],
    *,
    given: bool,
) -> tuple[Objective, Callable[[], dict[str, float]]]:
    """Make a recipe's objective, and a function that scores the network as it is.

    Parameters
    ----------
    network
        Built, with the weights that training starts from.
    configuration
        The variant.
    recipe
        Names the objective.
    songs
        Functions that give ``mixture``.
    given
        Whether the network's weights were trained before. Then the units of `Clusters` and
        `Unmixing` are classes of that network's vectors: HuBERT's second iteration.

    Returns
    -------
    tuple
        The objective on the songs that are learned from, and a function that gives ``accuracy``
        and ``chance`` (0 to 1) on every eighth song; of fewer than two songs, on the same song.
    """
    kept = songs[HELD_OUT - 1 :: HELD_OUT] or songs[-1:]
    learned = [song for song in songs if song not in kept] or songs
    extra = {}
    if given and issubclass(OBJECTIVES[recipe.objective], Clusters):
        extra["describe"] = vectors_of(configuration, collect(network))
    objective: Any = OBJECTIVES[recipe.objective](
        learned, configuration, recipe, recipe.seed, **extra
    )
    return objective, scorer(network, objective, objective.over(kept), recipe.seed)


def notes(recipe: Recipe, songs: Sequence[Song]) -> dict[str, str]:
    """Objective, number of songs and hours of music, for the notes of a file of weights."""
    samples = sum(song()[MIXTURE].shape[1] for song in songs)
    return {
        "objective": recipe.objective,
        "songs": str(len(songs)),
        "hours": f"{samples / RATE / 3600:.2f}",
    }


def vectors_of(
    configuration: Configuration, weights: Mapping[str, Numbers]
) -> Callable[[Numbers], Numbers]:
    """A function from what a network takes in, (size, frames, 3, cells), to its vectors.

    The network is a copy, so that the vectors stay what they are while training goes on.
    """
    network = build_keras(configuration)
    assign(network, weights)

    def describe(seen: Numbers) -> Numbers:
        vectors: Numbers = np.asarray(network.vectors(seen), np.float32)
        return vectors

    return describe


def scorer(
    network: Any, objective: Objective, kept: WithoutStems, seed: int
) -> Callable[[], dict[str, float]]:
    """A function that scores a network on some batches of the songs that were left out."""
    import tensorflow as tf

    draws: Any = kept
    batches = [draws.draw(np.random.default_rng([seed, number, 3])) for number in range(SCORED)]
    function = tf.function(
        lambda *batch: objective.outcome(network, *batch, training=False), autograph=False
    )

    def score() -> dict[str, float]:
        outcomes = [function(*map(tf.constant, batch)) for batch in batches]
        return {
            "accuracy": float(np.mean([outcome.score for outcome in outcomes])),
            "chance": float(np.mean([outcome.chance for outcome in outcomes])),
        }

    return score
