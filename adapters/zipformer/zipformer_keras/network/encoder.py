"""A Zipformer layer and a stack of them at its own rate."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..configuration import LayerShape
from .attention import AttentionWeights, NonlinAttention, SelfAttention
from .convolution import Convolution
from .layers import BiasNorm, Bypass, FeedForward
from .positions import chunk_mask
from .time_resampling import Downsample, upsample


class ZipformerLayer(keras.layers.Layer):
    """One layer: attention weights are computed once and used by three modules.

    Parameters
    ----------
    shape
        Its sizes.
    """

    def __init__(self, shape: LayerShape, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sizes = shape

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make all modules."""
        sizes = self.sizes
        hidden = sizes.feedforward
        self.weights_module = AttentionWeights(sizes.heads, sizes.query_width, name="weights")
        self.forward_1 = FeedForward(hidden * 3 // 4, sizes.dropout, name="forward_1")
        self.nonlin = NonlinAttention(name="nonlin")
        self.attention_1 = SelfAttention(sizes.heads, sizes.value_width, name="attention_1")
        self.convolution_1 = Convolution(sizes.kernel, sizes.chunk, name="convolution_1")
        self.forward_2 = FeedForward(hidden, sizes.dropout, name="forward_2")
        self.middle = Bypass(name="middle")
        self.attention_2 = SelfAttention(sizes.heads, sizes.value_width, name="attention_2")
        self.convolution_2 = Convolution(sizes.kernel, sizes.chunk, name="convolution_2")
        self.forward_3 = FeedForward(hidden * 5 // 4, sizes.dropout, name="forward_3")
        self.norm = BiasNorm(name="norm")
        self.bypass = Bypass(name="bypass")
        for part in (
            self.weights_module, self.forward_1, self.nonlin, self.attention_1,
            self.convolution_1, self.forward_2, self.middle, self.attention_2,
            self.convolution_2, self.forward_3, self.norm, self.bypass,
        ):  # fmt: skip
            part.build(shape)

    def call(self, x: Any, training: bool = False) -> Any:
        """Transform (sequences, frames, width)."""
        seen = None
        if self.sizes.chunk is not None:
            seen_by = chunk_mask(int(x.shape[1]), self.sizes.chunk, self.sizes.left)
            seen = ops.convert_to_tensor(seen_by[None, None])
        start = x
        weights = self.weights_module(x, seen=seen)
        x = x + self.forward_1(x, training=training)
        x = x + self.nonlin(x, weights)
        x = x + self.attention_1(x, weights)
        x = x + self.convolution_1(x)
        x = x + self.forward_2(x, training=training)
        x = self.middle(start, x)
        x = x + self.attention_2(x, weights)
        x = x + self.convolution_2(x)
        x = x + self.forward_3(x, training=training)
        return self.bypass(start, self.norm(x))


class Stack(keras.layers.Layer):
    """Layers at a rate of their own.

    Parameters
    ----------
    factor
        How many frames become one.
    layers
        Their number.
    sizes
        Those of each layer.
    """

    def __init__(self, factor: int, layers: int, sizes: LayerShape, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor, self.count, self.sizes = factor, layers, sizes

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the layers."""
        if self.factor > 1:
            self.down = Downsample(self.factor, name="down_time")
            self.down.build(shape)
        self.inner = [ZipformerLayer(self.sizes, name=f"time_{i}") for i in range(self.count)]
        for layer in self.inner:
            layer.build(shape)
        if self.factor > 1:
            self.bypass = Bypass(name="out")
            self.bypass.build(shape)

    def call(self, x: Any, training: bool = False) -> Any:
        """Transform (batch, frames, width)."""
        start = x
        if self.factor > 1:
            x = self.down(x)
        for layer in self.inner:
            x = layer(x, training=training)
        if self.factor == 1:
            return x
        return self.bypass(start, upsample(x, self.factor, int(start.shape[1])))
