"""A stem that is added to a trained network: a few numbers on frozen features.

Its mask is the sum of the masks of the stems `beside`, with something added to their logits. With zeros it is
exactly that sum. The stems `beside` lose what the new stem takes, in proportion; the masks of all other
stems do not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ..configuration import CHANNELS, GROWN_FLOOR, GROWN_RANK, KERNEL, Configuration, cell_count
from .embedding import doubled


class GrownStem(keras.layers.Layer):
    """Masks with one more stem.

    Parameters
    ----------
    configuration
        Names the stem, and those that it starts from.
    """

    def __init__(self, configuration: Configuration, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.configuration = configuration

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the variables; all of what is added is zero."""
        del shape
        c = self.configuration
        cells = cell_count(c.groups)

        def zeros(name: str, *size: int) -> Any:
            return self.add_weight(name=name, shape=size, initializer="zeros")

        self.kernel = zeros("kernel", KERNEL, KERNEL, CHANNELS, c.embed[0])
        self.bias = zeros("bias", CHANNELS)
        self.tone = zeros("tone", cells)
        self.patterns = zeros("patterns", GROWN_RANK, cells)
        self.activity = self.add_weight(
            name="activity", shape=(c.width, GROWN_RANK), initializer="glorot_uniform"
        )

    def added(self, features: Any, vectors: Any) -> Any:
        """What is added to the logits, (batch, frames, 2, cells)."""
        local = doubled(features, self.kernel, self.bias, self.configuration.chunk)
        whole = self.tone + ops.matmul(ops.matmul(vectors, self.activity), self.patterns)
        return ops.transpose(local, (0, 1, 3, 2)) + whole[:, :, None]

    def call(self, masks: Any, logits: Any, features: Any, vectors: Any) -> Any:
        """Masks of `configuration.outputs`.

        Parameters
        ----------
        masks, logits
            Of the network's own stems, (batch, frames, stems, 2, cells).
        features, vectors
            See `Network.decoded`.

        Returns
        -------
        (batch, frames, outputs, 2, cells).
        """
        c = self.configuration
        assert c.grown is not None
        members = [c.stems.index(name) for name in c.grown.beside]
        mask = ops.sigmoid(margin(logits, members) + self.added(features, vectors))
        every = [masks[:, :, index] for index in range(len(c.stems))]
        if c.grown.stem in c.stems:
            every[c.stems.index(c.grown.stem)] = mask
        else:
            total = sum(every[index] for index in members)
            left = ops.maximum(1.0 - mask / (total + GROWN_FLOOR), 0.0)
            for index in members:
                every[index] = every[index] * left
            every.append(mask)
        return ops.stack(every, axis=2)


def margin(logits: Any, members: Sequence[int]) -> Any:
    """The log of the odds of some stems against all others.

    Parameters
    ----------
    logits
        (batch, frames, stems, 2, cells).
    members
        Numbers of the stems.

    Returns
    -------
    (batch, frames, 2, cells).
    """
    others = [index for index in range(int(logits.shape[2])) if index not in members]
    inside, outside = (
        ops.logsumexp(ops.stack([logits[:, :, index] for index in part], axis=2), axis=2)
        for part in (list(members), others)
    )
    return inside - outside
