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


class DualPathStack(keras.layers.Layer):
    """Layers along frequency and along time, in turn, at a rate of their own.

    Parameters
    ----------
    time_factor, band_factor
        How many frames, and bands, become one.
    units
        How often: one layer along frequency, one along time.
    along_time, along_bands
        Sizes of the layers; None leaves the path out.
    """

    def __init__(
        self,
        time_factor: int,
        band_factor: int,
        units: int,
        along_time: LayerShape,
        along_bands: LayerShape | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.factors = (time_factor, band_factor)
        self.units = units
        self.along_time, self.along_bands = along_time, along_bands

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the layers."""
        sequence = (None, None, shape[-1])
        self.down = [
            Downsample(factor, axis, name=f"down_{name}")
            for factor, axis, name in zip(self.factors, (2, 0), ("time", "bands"), strict=True)
            if factor > 1
        ]
        self.over_bands = [
            ZipformerLayer(self.along_bands, name=f"bands_{index}")
            for index in range(self.units)
            if self.along_bands is not None
        ]
        self.over_time = [
            ZipformerLayer(self.along_time, name=f"time_{index}") for index in range(self.units)
        ]
        for layer in (*self.over_bands, *self.over_time):
            layer.build(sequence)
        for layer in self.down:
            layer.build(shape)
        if self.down:
            self.bypass = Bypass(name="out")
            self.bypass.build(shape)

    def call(self, x: Any, training: bool = False) -> Any:
        """Transform (bands, batch, frames, width)."""
        start = x
        for layer in self.down:
            x = layer(x)
        bands, batch, frames, width = (int(size) for size in x.shape)
        for index in range(self.units):
            if self.over_bands:
                x = ops.reshape(x, (bands, batch * frames, width))
                x = self.over_bands[index](ops.transpose(x, (1, 0, 2)), training=training)
                x = ops.transpose(x, (1, 0, 2))
            x = ops.reshape(x, (bands * batch, frames, width))
            x = self.over_time[index](x, training=training)
            x = ops.reshape(x, (bands, batch, frames, width))
        if not self.down:
            return x
        for factor, axis in zip(self.factors, (2, 0), strict=True):
            if factor > 1:
                x = upsample(x, factor, axis, int(start.shape[axis]))
        return self.bypass(start, x)
