"""From cells of a spectrum to one vector a frame, and back to masks, by convolutions.

Neighbouring cells are seen alike wherever they lie, so that what is learned of a partial, an onset
or a glide at one pitch holds at all others. The way in is the encoder's Conv-Embed, with its
strides along frequency alone; the way out mirrors it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ..configuration import KERNEL, SLOPE
from .layers import linear


class ConvEmbed(keras.layers.Layer):
    """Convolutions that halve the cells, level by level, and a vector of what is left.

    Parameters
    ----------
    channels
        Of every level; the number of cells must be divisible by 2 as often.
    width
        Channels of the vector.
    chunk
        Frames of a chunk in live mode, whose last one is seen without the frame that follows; None:
        offline, every frame is seen with both neighbours.
    """

    def __init__(
        self, channels: tuple[int, ...], width: int, chunk: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.channels, self.width, self.chunk = channels, width, chunk

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the levels."""
        size, inputs = int(shape[2] or 0), int(shape[3] or 0)
        self.kernels, self.biases = [], []
        for index, channels in enumerate(self.channels):
            self.kernels.append(
                self.add_weight(
                    name=f"kernel_{index}",
                    shape=(KERNEL, KERNEL, inputs, channels),
                    initializer="he_uniform",
                )
            )
            self.biases.append(
                self.add_weight(name=f"bias_{index}", shape=(channels,), initializer="zeros")
            )
            size, inputs = size // 2, channels
        self.join = linear(self.width, "join")
        self.join.build((None, None, size * inputs))

    def call(self, features: Any) -> tuple[Any, list[Any]]:
        """(batch, frames, cells, features) to (batch, frames, width), and what every level gives."""
        x, levels = features, []
        batch, frames = (int(size) for size in x.shape[:2])
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            x = ops.pad(with_past(x, self.chunk), ((0, 0), (0, 1), (0, 1), (0, 0)))
            x = ops.conv(x, kernel, strides=(1, 2), padding="valid") + bias
            x = ops.leaky_relu(whole(x, batch, frames), SLOPE)
            levels.append(x)
        return self.join(ops.reshape(x, (batch, frames, -1))), levels


class ConvMask(keras.layers.Layer):
    """The way back: what every level of `ConvEmbed` gave is added, and the cells are doubled.

    Parameters
    ----------
    channels, chunk
        As `ConvEmbed` has them.
    cells
        Of the spectrum.
    outputs
        Numbers a cell.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        cells: int,
        outputs: int,
        chunk: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels, self.chunk = channels, chunk
        self.cells, self.outputs = cells, outputs

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the levels."""
        self.size = self.cells // 2 ** len(self.channels)
        self.part = linear(self.size * self.channels[-1], "part", scale=0.3)
        self.part.build(shape)
        self.kernels, self.biases = [], []
        for index, wanted in enumerate((self.outputs, *self.channels[:-1])):
            inputs = self.channels[index]
            limit = (3.0 / (KERNEL * KERNEL / 2 * inputs)) ** 0.5
            self.kernels.append(
                self.add_weight(
                    name=f"kernel_{index}",
                    shape=(KERNEL, KERNEL, wanted, inputs),
                    initializer=keras.initializers.RandomUniform(-limit, limit),
                )
            )
            self.biases.append(
                self.add_weight(name=f"bias_{index}", shape=(wanted,), initializer="zeros")
            )

    def call(
        self, x: Any, levels: list[Any], scales: Sequence[Any] | None = None
    ) -> tuple[Any, Any]:
        """(batch, frames, width) to the numbers of every cell, and what the last level was given.

        Parameters
        ----------
        x
            One vector a frame.
        levels
            What every level of `ConvEmbed` gave.
        scales
            For every level (batch, channels) or None: added to 1, what it reads is multiplied by them; of the
            last level, the first of the list, by none.

        Returns
        -------
        (batch, frames, outputs, cells) and (batch, frames, cells / 2, channels).
        """
        batch, frames, _ = (int(size) for size in x.shape)
        x = ops.reshape(self.part(x), (batch, frames, self.size, self.channels[-1]))
        for index in reversed(range(1, len(self.channels))):
            x = ops.leaky_relu(x + levels[index], SLOPE)
            if scales is not None:
                x = x * (1.0 + scales[index][:, None, None])
            x = doubled(x, self.kernels[index], self.biases[index], self.chunk)
        features = ops.leaky_relu(x + levels[0], SLOPE)
        numbers = doubled(features, self.kernels[0], self.biases[0], self.chunk)
        return ops.transpose(numbers, (0, 1, 3, 2)), features


def doubled(x: Any, kernel: Any, bias: Any, chunk: int | None) -> Any:
    """Transposed convolution that doubles the cells.

    Parameters
    ----------
    x
        (batch, frames, cells, inputs).
    kernel, bias
        (3, 3, outputs, inputs), (outputs,).
    chunk
        Frames of a chunk in live mode.

    Returns
    -------
    (batch, frames, 2 * cells, outputs).
    """
    batch, frames, cells = (int(size) for size in x.shape[:3])
    x = ops.conv_transpose(with_past(x, chunk), kernel, strides=(1, 2), padding="valid")
    # Two frames at the beginning and one at the end have not met the whole kernel.
    return whole(x[:, KERNEL - 1 : -1, : 2 * cells], batch, frames) + bias


def with_past(x: Any, chunk: int | None) -> Any:
    """Put the frame before it in front of every chunk, silence in front of the first.

    Parameters
    ----------
    x
        (batch, frames, cells, channels).
    chunk
        Frames of a chunk; None: all are one.

    Returns
    -------
    (batch * chunks, 1 + frames of a chunk, cells, channels); the last chunk is filled with silence.
    """
    batch, frames, cells, channels = (int(size) for size in x.shape)
    size = chunk or frames
    chunks = -(-frames // size)
    x = ops.pad(x, ((0, 0), (0, chunks * size - frames), (0, 0), (0, 0)))
    x = ops.reshape(x, (batch, chunks, size, cells, channels))
    past = ops.pad(x[:, :-1, -1:], ((0, 0), (1, 0), (0, 0), (0, 0), (0, 0)))
    joined = ops.concatenate([past, x], axis=2)
    return ops.reshape(joined, (batch * chunks, size + 1, cells, channels))


def whole(x: Any, batch: int, frames: int) -> Any:
    """Join chunks, (batch * chunks, frames of a chunk, cells, channels), to so many frames."""
    joined = ops.reshape(x, (batch, -1, *(int(size) for size in x.shape[2:])))
    return joined[:, :frames]
