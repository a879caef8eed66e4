"""The contrastive task of wav2vec 2.0: which of several quantized vectors belongs to a hidden frame?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ...configuration import Configuration
from ..batches import Batch
from ..recipe import Recipe
from .base import Outcome
from .excerpts import Song, WithoutStems
from .hiding import spans

GROUPS, ENTRIES = 2, 32
"""The codebook: a target is one entry of each group, side by side."""
DISTRACTORS = 20
"""Other hidden frames of the same excerpt that a target is told from."""
TEMPERATURE = 0.1
DIVERSITY = 0.1
"""Weight of the loss that asks for all entries to be used."""


class Contrastive(WithoutStems):
    """Vectors before the encoder are quantized; vectors after it must pick theirs.

    Parameters
    ----------
    songs, configuration, recipe, seed
        As `clusters.Clusters` has them.
    """

    name = "contrastive"

    def __init__(
        self,
        songs: Sequence[Song],
        configuration: Configuration,
        recipe: Recipe,
        seed: int,
    ) -> None:
        super().__init__(songs, configuration, recipe)
        rng, width = np.random.default_rng([seed, 2]), configuration.width
        limit = width**-0.5
        shapes = {
            "token": (width,),
            "choose": (width, GROUPS * ENTRIES),
            "entries": (GROUPS, ENTRIES, width // GROUPS),
            "predict": (width, width // GROUPS * GROUPS),
        }
        self._named = {
            name: keras.Variable(
                rng.uniform(-limit, limit, shape).astype(np.float32),
                name=name,
            )
            for name, shape in shapes.items()
        }

    @property
    def variables(self) -> list[Any]:
        """The vector in place of hidden frames, the codebook and the way to it, the prediction."""
        return list(self._named.values())

    def draw(self, rng: np.random.Generator) -> Batch:
        """What is heard, hidden frames, and for every frame places of hidden frames to tell it from."""
        recipe = self.recipe
        windows = self.windows(rng)
        hidden = spans(recipe.batch_size, recipe.frames, recipe.hidden, recipe.span, rng)
        others = np.zeros((*hidden.shape, DISTRACTORS), np.int32)
        for row, places in zip(others, hidden, strict=True):
            own = np.flatnonzero(places)
            if own.size < 2:
                continue
            # Of the hidden frames without the frame itself: the drawn rank skips its own.
            ranks = rng.integers(own.size - 1, size=(own.size, DISTRACTORS))
            ranks += ranks >= np.arange(own.size)[:, None]
            row[own] = own[ranks]
        return self.seen(windows), hidden, others

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """Contrastive loss in nats and share of right choices; chance is one of all choices."""
        heard, hidden, others = batch
        before = network.vectors(heard, encoded=False, training=training)
        after = network.vectors(heard, hidden=hidden, token=self._named["token"], training=training)
        targets, used = self._quantized(before, hidden)
        predicted = _unit(ops.matmul(after, self._named["predict"]))
        targets = _unit(targets)
        size, frames = (int(n) for n in hidden.shape)
        offsets = (np.arange(size) * frames).astype(np.int32)[:, None, None]
        flat = ops.reshape(targets, (size * frames, -1))
        distractors = ops.take(flat, others + offsets, axis=0)
        right = ops.sum(predicted * targets, axis=-1, keepdims=True)
        wrong = ops.sum(predicted[:, :, None] * distractors, axis=-1)
        # A distractor that was quantized to the same entries is no wrong answer.
        same = ops.all(ops.equal(distractors, targets[:, :, None]), axis=-1)
        wrong = ops.where(same, -1e9, wrong / TEMPERATURE)
        logits = ops.concatenate([right / TEMPERATURE, wrong], axis=-1)
        losses = -ops.log_softmax(logits, axis=-1)[..., 0]
        best = ops.cast(right[..., 0] / TEMPERATURE > ops.max(wrong, axis=-1), "float32")
        # Where every distractor has the target's entries, there was nothing to tell apart.
        best = best * ops.cast(ops.logical_not(ops.all(same, axis=-1)), "float32")
        total = ops.sum(hidden)
        even = GROUPS * ENTRIES - ops.sum(ops.exp(-ops.sum(used * ops.log(used + 1e-7), axis=-1)))
        loss = ops.sum(hidden * losses) / total + DIVERSITY * even / (GROUPS * ENTRIES)
        chance = ops.convert_to_tensor(1.0 / (1 + DISTRACTORS))
        return Outcome(loss, ops.sum(hidden * best) / total, chance)

    def _quantized(self, vectors: Any, hidden: Any) -> tuple[Any, Any]:
        """Entries that the vectors choose, (size, frames, width), and how often each is chosen.

        The gradient passes through the softmax, the value is the chosen entry's.
        """
        size, frames = (int(n) for n in hidden.shape)
        logits = ops.matmul(vectors, self._named["choose"])
        logits = ops.reshape(logits, (size, frames, GROUPS, ENTRIES))
        soft = ops.softmax(logits, axis=-1)
        hard = ops.one_hot(ops.argmax(logits, axis=-1), ENTRIES)
        chosen = soft + ops.stop_gradient(hard - soft)
        entries = ops.einsum("sfge,gew->sfgw", chosen, self._named["entries"])
        weight = hidden[:, :, None, None] / ops.sum(hidden)
        return ops.reshape(entries, (size, frames, -1)), ops.sum(soft * weight, axis=(0, 1))


def _unit(vectors: Any) -> Any:
    """Vectors of length 1."""
    return vectors * ops.rsqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + 1e-6)
