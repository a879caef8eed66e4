"""What the network sees of a mixture's cells, of about the same size wherever they lie."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..configuration import FLOOR


def features(cells: Any) -> Any:
    """Compressed magnitudes: loud and soft are brought closer together.

    Parameters
    ----------
    cells
        (batch, frames, 3, cells): energies of left and right and the real part of left times
        conjugate right.

    Returns
    -------
    (batch, frames, 4, cells): the fourth roots of the magnitudes of left, right, middle and side.
    """
    left, right, cross = cells[:, :, 0], cells[:, :, 1], cells[:, :, 2]
    middle, side = (left + right) * 0.25 + cross * 0.5, (left + right) * 0.25 - cross * 0.5
    stacked = ops.stack([left, right, middle, side], axis=2)
    return ops.sqrt(ops.sqrt(ops.sqrt(ops.maximum(stacked, 0.0) + FLOOR)))


class Standardize(keras.layers.Layer):
    """(x - mean) / deviation of every feature of every cell, measured before training.

    The norms after it keep a vector's direction, so what all frames have in common would drown
    what distinguishes them.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make mean and deviation."""
        sizes = (int(shape[-2] or 0), int(shape[-1] or 0))
        self.mean = self.add_weight(name="mean", shape=sizes, initializer="zeros", trainable=False)
        self.deviation = self.add_weight(
            name="deviation", shape=sizes, initializer="ones", trainable=False
        )

    def call(self, features: Any) -> Any:
        """(batch, frames, features, cells), of the same shape."""
        return (features - self.mean) / self.deviation

    def adapt(self, features: Any) -> None:
        """Measure mean and deviation of features as `call` takes them."""
        self.mean.assign(ops.mean(features, axis=(0, 1)))
        self.deviation.assign(ops.std(features, axis=(0, 1)) + 1e-2)
