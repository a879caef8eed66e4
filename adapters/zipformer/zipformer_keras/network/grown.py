"""A stem that is added to a trained network: a few numbers on frozen features.

Its mask is that of the stem `beside`, with something added to that stem's logits. With zeros it is
exactly that stem. The masks of the other stems do not change; the stem `beside` loses what the new stem takes.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..configuration import CHANNELS, GROWN_RANK, KERNEL, Configuration, cell_count
from .embedding import doubled


class GrownStem(keras.layers.Layer):
    """Masks with one more stem.

    Parameters
    ----------
    configuration
        Names the stem, and the one it starts from.
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
        beside = c.stems.index(c.grown.beside)
        odds = margin(logits, beside) + self.added(features, vectors)
        mask = ops.sigmoid(odds)
        every = [masks[:, :, index] for index in range(len(c.stems))]
        if c.grown.stem in c.stems:
            every[c.stems.index(c.grown.stem)] = mask
        else:
            every[beside] = ops.maximum(every[beside] - mask, 0.0)
            every.append(mask)
        return ops.stack(every, axis=2)


def margin(logits: Any, stem: int) -> Any:
    """A stem's logit over those of all others: the log of its odds, (batch, frames, 2, cells)."""
    others = [logits[:, :, index] for index in range(int(logits.shape[2])) if index != stem]
    return logits[:, :, stem] - ops.logsumexp(ops.stack(others, axis=2), axis=2)
