"""Learned changes of rate: fewer frames (or bands) for slow work, and back."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Downsample(keras.layers.Layer):
    """Each group of neighbours becomes their softmax(bias)-weighted sum.

    What is missing in the last group is filled with its last member.

    Parameters
    ----------
    factor
        Size of a group.
    axis
        The axis that shrinks.
    """

    def __init__(self, factor: int, axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor, self.axis = factor, axis

    def build(self, _: tuple[int | None, ...]) -> None:
        """Make the weights; all alike at first."""
        self.bias = self.add_weight(name="bias", shape=(self.factor,), initializer="zeros")

    def call(self, x: Any) -> Any:
        """Shrink the axis to ceil(size / factor)."""
        axis, shape = self.axis, list(x.shape)
        missing = -int(shape[axis]) % self.factor
        if missing:
            last = [slice(None)] * len(shape)
            last[axis] = slice(-1, None)
            x = ops.concatenate([x, *[x[tuple(last)]] * missing], axis=axis)
        groups = (int(shape[axis]) + missing) // self.factor
        before, after = ([int(size) for size in part] for part in (shape[:axis], shape[axis + 1 :]))
        grouped = ops.reshape(x, (*before, groups, self.factor, *after))
        weights = ops.softmax(self.bias, axis=-1)
        weights = ops.reshape(weights, (self.factor, *[1] * (len(shape) - axis - 1)))
        return ops.sum(grouped * weights, axis=axis + 1)


def upsample(x: Any, factor: int, axis: int, size: int) -> Any:
    """Repeat every member of an axis, and cut it to `size`."""
    repeated = ops.repeat(x, factor, axis=axis)
    if int(repeated.shape[axis]) == size:
        return repeated
    kept = [slice(None)] * len(x.shape)
    kept[axis] = slice(0, size)
    return repeated[tuple(kept)]
