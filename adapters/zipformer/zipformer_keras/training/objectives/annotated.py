"""Separation, and what is sung and sounds in every frame, learned by one network at the same time."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from ...configuration import Configuration
from ...pitches import VOCALS, nearest
from ..augmentation import Excerpt, Library
from ..batches import Batch, draw_batch
from ..heads import heads_error
from ..labels import activity, pitch
from ..loss import snr_loss
from ..recipe import COMB, Recipe
from .base import Outcome

WEIGHT = 0.5
"""Of the heads' cross entropies in nats, beside the separation's loss in dB."""
GAINS = ("inside", "between", "gate")


class Annotated:
    """The loss of `Separation`, and the cross entropies of `Harmonics`' heads.

    Parameters
    ----------
    library
        The songs.
    configuration
        The variant, with ``harmonics``.
    recipe
        Sizes and variations; with ``heads = "notes"`` the comb and the gates of activity stay as they are.
    """

    name = "annotated"

    def __init__(self, library: Library, configuration: Configuration, recipe: Recipe) -> None:
        self.library, self.configuration, self.recipe = library, configuration, recipe

    @property
    def variables(self) -> list[Any]:
        """None."""
        return []

    def trained(self, network: Any) -> list[Any]:
        """All of the network's, or all but the gains with which the heads change the masks."""
        fixed = () if self.recipe.heads == COMB else GAINS
        left_out = {id(getattr(network.harmonics, name)) for name in fixed}
        return [v for v in network.trainable_variables if id(v) not in left_out]

    def draw(self, rng: np.random.Generator) -> Batch:
        """See `batches.draw_batch`; then pitches (frames,) and activities (frames, stems)."""
        recipe = self.recipe
        return draw_batch(
            self.library, self.configuration, recipe.batch_size, recipe.frames, recipe.variation,
            rng, label=self._labels,
        )  # fmt: skip

    def _labels(self, excerpt: Excerpt) -> Batch:
        c = self.configuration
        hertz = pitch(excerpt.samples[c.stems.index(VOCALS)], c.frame, c.step)
        sounding = [activity(stem, c.frame, c.step) for stem in excerpt.samples]
        return nearest(hertz), np.stack(sounding, axis=1).astype(np.float32)

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """The sum of the losses; the score is the separation's."""
        *separation, pitches, sounding = batch
        numbers, _, vectors = network.decoded(separation[0], training=training)
        size, frames, _, cells = (int(number) for number in numbers.shape)
        logits = ops.reshape(numbers, (size, frames, len(self.configuration.stems), -1, cells))
        logits, answer, heard = (
            ops.cast(x, "float32") for x in network.harmonics.raised(logits, separation[0], vectors)
        )
        loss = snr_loss(ops.softmax(logits, axis=2), *separation)
        error = heads_error(answer, heard, pitches, sounding, separation[-1])
        return Outcome(loss + WEIGHT * error, loss, ops.zeros(()))
