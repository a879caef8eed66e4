"""Learned changes of rate: fewer frames for slow work, and back."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Downsample(keras.layers.Layer):
    """Each group of neighbouring frames becomes their softmax(bias)-weighted sum.

    What is missing in the last group is filled with its last frame.

    Parameters
    ----------
    factor
        Frames of a group.
    """

    def __init__(self, factor: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, _: tuple[int | None, ...]) -> None:
        """Make the weights; all alike at first."""
        self.bias = self.add_weight(name="bias", shape=(self.factor,), initializer="zeros")

    def call(self, x: Any) -> Any:
        """(batch, frames, width) to (batch, ceil(frames / factor), width)."""
        batch, frames, width = (int(size) for size in x.shape)
        missing = -frames % self.factor
        if missing:
            x = ops.concatenate([x, *[x[:, -1:]] * missing], axis=1)
        grouped = ops.reshape(x, (batch, (frames + missing) // self.factor, self.factor, width))
        return ops.sum(grouped * ops.softmax(self.bias, axis=-1)[:, None], axis=2)


def upsample(x: Any, factor: int, frames: int) -> Any:
    """Repeat every frame of (batch, fewer frames, width), and cut the result to `frames`."""
    return ops.repeat(x, factor, axis=1)[:, :frames]
