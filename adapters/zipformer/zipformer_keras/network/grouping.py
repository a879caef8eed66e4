"""Masks that depend on the song: what the frames hold of each stem changes the last layer's kernel.

Every stem has a token. Frames are assigned to the tokens by similarity and pooled into one vector for each
stem; a linear map of it is added to that stem's part of the output kernel. The map is zero at the
start, so the network starts as it was without this layer.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..configuration import CHANNELS, GROUPING_FLOOR, KERNEL, Configuration
from .embedding import doubled


class Grouping(keras.layers.Layer):
    """What song-adaptive kernels add to the numbers of the last level.

    Parameters
    ----------
    configuration
        Names the stems; offline only, as a song's frames are pooled as a whole.
    """

    def __init__(self, configuration: Configuration, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.configuration = configuration

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the variables."""
        del shape
        c = self.configuration
        self.tokens = self.add_weight(
            name="tokens", shape=(len(c.stems), c.width), initializer="glorot_uniform"
        )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(c.width, KERNEL * KERNEL * CHANNELS * c.embed[0]),
            initializer="zeros",
        )
        self.bias = self.add_weight(name="bias", shape=(c.width, CHANNELS), initializer="zeros")

    def pooled(self, vectors: Any) -> Any:
        """One vector for each stem, of mean square 1: (batch, frames, width) to (batch, stems, width)."""
        shares = ops.softmax(ops.matmul(vectors, ops.transpose(self.tokens)), axis=-1)
        total = ops.matmul(ops.transpose(shares, (0, 2, 1)), vectors)
        return total * ops.rsqrt(
            ops.mean(ops.square(total), axis=-1, keepdims=True) + GROUPING_FLOOR
        )

    def call(self, features: Any, vectors: Any) -> Any:
        """What is added to the last level's numbers, (batch, frames, stems * 2, cells).

        Parameters
        ----------
        features, vectors
            See `Network.decoded`.
        """
        c, pooled = self.configuration, self.pooled(vectors)
        stems, added = len(c.stems), []
        for index in range(int(features.shape[0])):
            kernel = ops.reshape(
                ops.matmul(pooled[index], self.kernel),
                (stems, KERNEL, KERNEL, CHANNELS, c.embed[0]),
            )
            kernel = ops.reshape(
                ops.transpose(kernel, (1, 2, 0, 3, 4)),
                (KERNEL, KERNEL, stems * CHANNELS, c.embed[0]),
            )
            bias = ops.reshape(ops.matmul(pooled[index], self.bias), (stems * CHANNELS,))
            added.append(doubled(features[index : index + 1], kernel, bias, None))
        return ops.transpose(ops.concatenate(added, axis=0), (0, 1, 3, 2))
