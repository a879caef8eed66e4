"""From cells of a spectrum to bands, and from bands to masks.

A *cell* is what is seen and masked as one: a bin, or several neighbouring bins where the ear is
coarse and the energy small. Tensors stand band first, so that every band's own linear map is
one matrix product.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..configuration import Bands, band_count


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


class BandSplit(keras.layers.Layer):
    """The features of every band's cells become one vector.

    Parameters
    ----------
    groups
        The bands, from 0 Hz upwards.
    width
        Channels of a vector.
    """

    def __init__(self, groups: tuple[Bands, ...], width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups, self.width = groups, width

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make one linear map a band."""
        features = int(shape[2] or 0)
        self.kernels, self.biases = [], []
        for index, group in enumerate(self.groups):
            inputs = features * group.cells
            self.kernels.append(
                self.add_weight(
                    name=f"kernel_{index}",
                    shape=(group.count, inputs, self.width),
                    initializer=keras.initializers.RandomUniform(-(inputs**-0.5), inputs**-0.5),
                )
            )
            self.biases.append(
                self.add_weight(
                    name=f"bias_{index}",
                    shape=(group.count, 1, self.width),
                    initializer=keras.initializers.RandomUniform(-0.3, 0.3),
                )
            )

    def call(self, features: Any) -> Any:
        """(batch, frames, features, cells) to (bands, batch, frames, width)."""
        batch, frames, count = (int(size) for size in features.shape[:3])
        split, start = [], 0
        for group, kernel, bias in zip(self.groups, self.kernels, self.biases, strict=True):
            stop = start + group.count * group.cells
            part = ops.reshape(
                features[..., start:stop], (batch * frames, count, group.count, group.cells)
            )
            part = ops.reshape(
                ops.transpose(part, (2, 0, 1, 3)),
                (group.count, batch * frames, count * group.cells),
            )
            split.append(ops.matmul(part, kernel) + bias)
            start = stop
        joined = ops.concatenate(split, axis=0)
        return ops.reshape(joined, (int(joined.shape[0]), batch, frames, self.width))


class MaskHead(keras.layers.Layer):
    """An MLP a band gives numbers for the masks of all stems.

    Parameters
    ----------
    groups
        The bands.
    outputs
        Numbers a cell.
    hidden
        Width in between.
    """

    def __init__(self, groups: tuple[Bands, ...], outputs: int, hidden: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups, self.outputs, self.hidden = groups, outputs, hidden

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the maps of all bands."""
        bands, width = band_count(self.groups), int(shape[-1] or 0)
        self.inward = self.add_weight(
            name="in",
            shape=(bands, width, self.hidden),
            initializer=keras.initializers.RandomUniform(-(width**-0.5), width**-0.5),
        )
        self.inward_bias = self.add_weight(
            name="in_bias", shape=(bands, 1, self.hidden), initializer="zeros"
        )
        self.kernels, self.biases = [], []
        limit = 0.3 * self.hidden**-0.5
        for index, group in enumerate(self.groups):
            size = self.outputs * group.cells
            self.kernels.append(
                self.add_weight(
                    name=f"kernel_{index}",
                    shape=(group.count, self.hidden, size),
                    initializer=keras.initializers.RandomUniform(-limit, limit),
                )
            )
            self.biases.append(
                self.add_weight(
                    name=f"bias_{index}", shape=(group.count, 1, size), initializer="zeros"
                )
            )

    def call(self, x: Any) -> Any:
        """(bands, batch, frames, width) to (batch, frames, outputs, cells)."""
        bands, batch, frames, width = (int(size) for size in x.shape)
        x = ops.reshape(x, (bands, batch * frames, width))
        hidden = ops.tanh(ops.matmul(x, self.inward) + self.inward_bias)
        pieces, start = [], 0
        for group, kernel, bias in zip(self.groups, self.kernels, self.biases, strict=True):
            piece = ops.matmul(hidden[start : start + group.count], kernel) + bias
            piece = ops.reshape(piece, (group.count, batch * frames, self.outputs, group.cells))
            piece = ops.transpose(piece, (1, 2, 0, 3))
            pieces.append(
                ops.reshape(piece, (batch, frames, self.outputs, group.count * group.cells))
            )
            start += group.count
        return ops.concatenate(pieces, axis=-1)
