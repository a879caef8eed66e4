"""What a singer's signature adds to every frame's vector; see `queries`."""

from __future__ import annotations

from typing import Any

import keras
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
        self.first = self.add_weight(
            name="first", shape=(SIGNATURE, HIDDEN), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(HIDDEN,), initializer="zeros")
        self.second = self.add_weight(
            name="second", shape=(HIDDEN, self.width), initializer="zeros"
        )

    def call(self, signatures: Any, asked: Any) -> Any:
        """(batch, width) of signatures (batch, numbers); zero where `asked`, (batch,), is 0."""
        hidden = ops.leaky_relu(ops.matmul(signatures, self.first) + self.bias, SLOPE)
        return ops.matmul(hidden, self.second) * asked[:, None]
