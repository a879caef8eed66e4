"""Hidden patches of the spectrogram, as Audio-MAE learns: what is their level?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ...configuration import Configuration, cell_count
from ..batches import Batch
from ..recipe import Recipe
from .base import Outcome
from .excerpts import Song, WithoutStems
from .hiding import patches

PATCH = (8, 16)
"""Frames and cells of a patch."""


class Patches(WithoutStems):
    """Cells of hidden patches are silent to the network; a linear map of its vectors fills them in.

    The map reads the encoder's vectors: a way out with the embedding's levels could paint over the
    holes from their neighbourhood, and the encoder would learn little.

    Parameters
    ----------
    songs, configuration, recipe, seed
        As `clusters.Clusters` has them.
    """

    name = "patches"

    def __init__(
        self,
        songs: Sequence[Song],
        configuration: Configuration,
        recipe: Recipe,
        seed: int,
    ) -> None:
        super().__init__(songs, configuration, recipe)
        self.cells = cell_count(configuration.groups)
        rng, limit = np.random.default_rng([seed, 2]), configuration.width**-0.5
        start = rng.uniform(-limit, limit, (configuration.width, self.cells))
        self.kernel = keras.Variable(start.astype(np.float32), name="kernel")
        self.bias = keras.Variable(np.zeros(self.cells, np.float32), name="bias")

    @property
    def variables(self) -> list[Any]:
        """The linear map from vectors to cells."""
        return [self.kernel, self.bias]

    def draw(self, rng: np.random.Generator) -> Batch:
        """What is heard, which cells are hidden, and the levels of all cells."""
        recipe = self.recipe
        windows = self.windows(rng)
        heard = self.seen(windows)
        size, frames = recipe.batch_size, recipe.frames
        hidden = patches(size, frames, self.cells, recipe.hidden, PATCH, rng)
        levels = np.log10(heard[:, :, :2].sum(axis=2) + 1e-9).astype(np.float32)
        levels -= levels.mean(axis=(1, 2), keepdims=True)
        levels /= levels.std(axis=(1, 2), keepdims=True) + 1e-3
        return heard * (1.0 - hidden[:, :, None]), hidden, levels

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """Mean squared error of hidden levels; the score is the share of variance explained."""
        heard, hidden, levels = batch
        vectors = network.vectors(heard, training=training)
        error = ops.square(ops.matmul(vectors, self.kernel) + self.bias - levels)
        total = ops.sum(hidden)
        loss = ops.sum(hidden * error) / total
        mean = ops.sum(hidden * levels) / total
        variance = ops.sum(hidden * ops.square(levels - mean)) / total
        return Outcome(loss, 1.0 - loss / variance, ops.zeros(()))
