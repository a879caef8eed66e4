"""The convolution module: what happens near by, channel by channel."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .layers import linear, swoosh_r


class Convolution(keras.layers.Layer):
    """Gate, depthwise convolution, SwooshR, linear.

    Offline, the kernel is centred. In live mode, with a chunk size, half of it looks back
    across chunks and a second, centred one stays within a chunk: no sample of a later chunk
    is needed.

    Parameters
    ----------
    kernel
        Odd size of the kernel.
    chunk
        Frames of a chunk in live mode; None: offline.
    """

    def __init__(self, kernel: int, chunk: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel, self.chunk = kernel, chunk

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the projections and kernels."""
        width = int(shape[-1] or 0)
        self.width = width
        self.inward = linear(2 * width, "in")
        self.inward.build(shape)
        start = keras.initializers.RandomUniform(-(self.kernel**-0.5), self.kernel**-0.5)
        self.centred = self.add_weight(
            name="centred", shape=(self.kernel, width), initializer=start
        )
        if self.chunk is not None:
            self.causal = self.add_weight(
                name="causal", shape=(self.kernel // 2 + 1, width), initializer=start
            )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
        self.outward = linear(width, "out", scale=0.05)
        self.outward.build(shape)

    def call(self, x: Any) -> Any:
        """Transform (sequences, frames, width)."""
        projected = self.inward(x)
        gated = projected[..., : self.width] * ops.sigmoid(projected[..., self.width :])
        half = self.kernel // 2
        if self.chunk is None:
            mixed = depthwise(ops.pad(gated, ((0, 0), (half, half), (0, 0))), self.centred)
        else:
            behind = ops.pad(gated, ((0, 0), (half, 0), (0, 0)))
            mixed = depthwise(behind, self.causal) + self._within_chunks(gated)
        return self.outward(swoosh_r(mixed + self.bias))

    def _within_chunks(self, gated: Any) -> Any:
        chunk = self.chunk or 1
        count, frames, half = int(gated.shape[0]), int(gated.shape[1]), self.kernel // 2
        missing = -frames % chunk
        if missing:
            gated = ops.pad(gated, ((0, 0), (0, missing), (0, 0)))
        chunks = ops.reshape(gated, (-1, chunk, self.width))
        mixed = depthwise(ops.pad(chunks, ((0, 0), (half, half), (0, 0))), self.centred)
        return ops.reshape(mixed, (count, frames + missing, self.width))[:, :frames]


def depthwise(x: Any, kernel: Any) -> Any:
    """Convolve every channel of (sequences, frames, channels) with its own kernel, no padding.

    JAX fuses a sum of shifted products into one pass and has no fast grouped convolution on
    processors; the others have one.
    """
    if keras.backend.backend() != "jax":
        return ops.depthwise_conv(x, kernel[..., None], strides=1, padding="valid")
    size = int(kernel.shape[0])
    frames = int(x.shape[1]) - size + 1
    return sum(x[:, tap : tap + frames] * kernel[tap] for tap in range(size))
