"""The interface that everything a network can be trained for shares."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from ..batches import Batch


class Outcome(NamedTuple):
    """What an objective makes of a batch, as scalars in the graph.

    Parameters
    ----------
    loss
        What training makes small.
    score
        Share of the hidden frames that were answered correctly, 0 to 1. Of `patches`: the share of
        the variance that is explained, 1 at most. Of separation: the loss again.
    chance
        What `score` would be without listening: the share of the most frequent answer, one over
        the number of choices, or 0.
    """

    loss: Any
    score: Any
    chance: Any


class Objective(Protocol):
    """A task: its batches, its loss, and the variables that it trains."""

    name: str

    @property
    def variables(self) -> list[Any]:
        """Keras variables that belong to the objective and are not part of the network."""

    def trained(self, network: Any) -> list[Any]:
        """Variables that get a gradient: the network's or a part of them, then `variables`."""

    def draw(self, rng: np.random.Generator) -> Batch:
        """A batch of NumPy arrays, the network's input first; it depends on `rng` alone."""

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """Loss and score of a batch, in the graph."""
