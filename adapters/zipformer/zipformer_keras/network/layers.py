"""The small parts of a Zipformer as Keras layers: norm, activations, bypass, feed-forward.

Source: Yao et al., "Zipformer: A faster and better encoder for automatic speech recognition",
ICLR 2024 (arXiv 2310.11230). Names are the paper's. Training-time extras (Balancer, Whitener)
are left out.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..configuration import BYPASS_FLOOR, LOG_SCALE_LIMIT


def swoosh_r(x: Any) -> Any:
    """SwooshR: ln(1 + e^(x-1)) - 0.08 x - 0.313261687; zero at zero."""
    return ops.softplus(x - 1.0) - 0.08 * x - 0.313261687


def swoosh_l(x: Any) -> Any:
    """SwooshL: ln(1 + e^(x-4)) - 0.08 x - 0.035; for layers that are "normally off"."""
    return ops.softplus(x - 4.0) - 0.08 * x - 0.035


class BiasNorm(keras.layers.Layer):
    """x * mean_c((x - b)^2)^(-1/2) * e^g: a norm that keeps some of a vector's length.

    The bias b is a vector, the log-scale g one number within +-1.5.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make b and g."""
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")
        self.log_scale = self.add_weight(name="log_scale", shape=(), initializer="ones")

    def call(self, x: Any) -> Any:
        """Normalize the last axis."""
        energy = ops.mean(ops.square(x - self.bias), axis=-1, keepdims=True)
        scale = ops.clip(self.log_scale, -LOG_SCALE_LIMIT, LOG_SCALE_LIMIT)
        return x * (ops.rsqrt(energy + 1e-8) * ops.exp(scale))


class Bypass(keras.layers.Layer):
    """a + c (b - a): how much of a layer's work is taken, one c a channel.

    c starts at 0.5 and is kept in [0.2, 1], so that no layer starves.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make c."""
        self.scale = self.add_weight(
            name="scale", shape=(shape[-1],), initializer=keras.initializers.Constant(0.5)
        )

    def call(self, before: Any, after: Any) -> Any:
        """Mix a layer's input and output."""
        return before + ops.clip(self.scale, BYPASS_FLOOR, 1.0) * (after - before)


class FeedForward(keras.layers.Layer):
    """Linear, SwooshL, linear (starting small).

    Parameters
    ----------
    hidden
        Width in between.
    dropout
        Share of hidden channels dropped while training.
    """

    def __init__(self, hidden: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden, self.dropout_rate = hidden, dropout

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make both linear maps."""
        width = int(shape[-1] or 0)
        self.inward = linear(self.hidden, "in")
        self.outward = linear(width, "out", scale=0.1)
        self.inward.build(shape)
        self.outward.build((*shape[:-1], self.hidden))
        self.dropout = keras.layers.Dropout(self.dropout_rate)

    def call(self, x: Any, training: bool = False) -> Any:
        """Transform the last axis."""
        hidden = swoosh_l(self.inward(x))
        if self.dropout_rate:
            hidden = self.dropout(hidden, training=training)
        return self.outward(hidden)


def linear(width: int, name: str, *, scale: float = 1.0, bias: bool = True) -> keras.layers.Dense:
    """A linear map whose first weights are small by `scale`."""
    return keras.layers.Dense(
        width,
        use_bias=bias,
        name=name,
        kernel_initializer=keras.initializers.VarianceScaling(scale**2 / 3.0, "fan_in", "uniform"),
    )
