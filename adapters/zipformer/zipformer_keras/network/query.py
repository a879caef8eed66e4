"""What a singer's signature adds to every frame's vector; see `queries`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from ..configuration import SLOPE
from ..queries import HIDDEN, SIGNATURE


class Query(keras.layers.Layer):
    """Two linear maps; the second is zero at the start.

    Parameters
    ----------
    width
        Channels of a frame's vector.
    """

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the variables."""
        del shape
        self.mean = self.add_weight(
            name="mean", shape=(SIGNATURE,), initializer="zeros", trainable=False
        )
        self.deviation = self.add_weight(
            name="deviation", shape=(SIGNATURE,), initializer="ones", trainable=False
        )
        self.first = self.add_weight(
            name="first", shape=(SIGNATURE, HIDDEN), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(HIDDEN,), initializer="zeros")
        self.second = self.add_weight(
            name="second", shape=(HIDDEN, self.width), initializer="zeros"
        )

    def adapt(self, signatures: npt.NDArray[np.float32]) -> None:
        """Measure what signatures (singers, numbers) are like, before training.

        What all singers have in common would otherwise be the largest part of what is added to
        the vectors, and the norm that follows would leave little of the song.
        """
        self.mean.assign(signatures.mean(axis=0))
        self.deviation.assign(signatures.std(axis=0) + 1e-3)

    def call(self, signatures: Any, asked: Any) -> Any:
        """(batch, width) of signatures (batch, numbers); zero where `asked`, (batch,), is 0."""
        centred = (signatures - self.mean) / self.deviation
        hidden = ops.leaky_relu(ops.matmul(centred, self.first) + self.bias, SLOPE)
        return ops.matmul(hidden, self.second) * asked[:, None]
