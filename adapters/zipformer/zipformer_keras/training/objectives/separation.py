"""Separation, the task that needs songs with stems."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from ...configuration import Configuration
from ..augmentation import Library
from ..batches import Batch, draw_batch
from ..loss import multi_resolution_loss, snr_loss
from ..recipe import Recipe
from .base import Outcome


class Separation:
    """Masks of varied, remixed excerpts, by one of the losses of `loss`.

    Parameters
    ----------
    library
        The songs.
    configuration
        The variant.
    recipe
        Sizes, loss and variations.
    """

    name = "separation"

    def __init__(self, library: Library, configuration: Configuration, recipe: Recipe) -> None:
        self.library, self.configuration, self.recipe = library, configuration, recipe
        self._loss = snr_loss if recipe.loss == "snr" else multi_resolution_loss(configuration)

    @property
    def variables(self) -> list[Any]:
        """None."""
        return []

    def trained(self, network: Any) -> list[Any]:
        """All of the network's."""
        variables: list[Any] = network.trainable_variables
        return variables

    def draw(self, rng: np.random.Generator) -> Batch:
        """See `batches.draw_batch`."""
        recipe = self.recipe
        return draw_batch(
            self.library,
            self.configuration,
            recipe.batch_size,
            recipe.frames,
            recipe.variation,
            rng,
            waves=recipe.loss == "multi-resolution",
        )

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """The loss."""
        masks = ops.cast(network(batch[0], training=training), "float32")
        loss = self._loss(masks, *batch)
        return Outcome(loss, loss, ops.zeros(()))
