"""Attention that is worked out once a layer and used three times.

`AttentionWeights` compares positions; two `SelfAttention` modules and one `NonlinAttention`
move information along these weights.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .layers import linear
from .positions import compact_positions

FORBIDDEN = -1e9


class AttentionWeights(keras.layers.Layer):
    """softmax_j(q_i . k_j + p_i . (W e_(j-i))) for every head.

    There is no 1/sqrt(d): the projection starts small by d_q^(-1/4) instead.

    Parameters
    ----------
    heads
        Number of heads.
    query_width
        Channels of a query, and of a key.
    position_width
        Channels that ask for a distance.
    """

    def __init__(
        self, heads: int, query_width: int, position_width: int = 4, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.heads, self.query_width, self.position_width = heads, query_width, position_width

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the two projections."""
        width = self.heads * (2 * self.query_width + self.position_width)
        self.project = linear(width, "in", scale=float(self.query_width) ** -0.25 * 3**0.5)
        self.project.build(shape)
        self.position = linear(
            self.heads * self.position_width, "position", scale=0.05 * 3**0.5, bias=False
        )
        self.position.build((None, compact_positions(1, 1).shape[1]))

    def call(self, x: Any, seen: Any = None) -> Any:
        """Weights of a sequence.

        Parameters
        ----------
        x
            (sequences, frames, width).
        seen
            bool, broadcast to (sequences, heads, frames, frames): what a query may see; None:
            all.

        Returns
        -------
        (sequences, heads, frames, frames): [query, key].
        """
        count, frames = int(x.shape[0]), int(x.shape[1])
        size = self.heads * self.query_width
        projected = self.project(x)
        shape = (count, frames, self.heads, self.query_width)
        queries = ops.reshape(projected[..., :size], shape)
        keys = ops.reshape(projected[..., size : 2 * size], shape)
        asked = ops.reshape(
            projected[..., 2 * size :], (count, frames, self.heads, self.position_width)
        )
        scores = ops.einsum("nihc,njhc->nhij", queries, keys)
        scores = scores + self._position_scores(asked)
        if seen is not None:
            scores = ops.where(seen, scores, FORBIDDEN)
        return ops.softmax(scores, axis=-1)

    def _position_scores(self, asked: Any) -> Any:
        """p_i . (W e_(j-i)) as (sequences, heads, frames, frames)."""
        count, frames = int(asked.shape[0]), int(asked.shape[1])
        distances = 2 * frames - 1
        table = ops.convert_to_tensor(compact_positions(frames))
        embedded = ops.reshape(self.position(table), (distances, self.heads, self.position_width))
        scores = ops.einsum("nihc,rhc->nhir", asked, embedded)
        # Row i wants the distances -i to frames - 1 - i, which begin at entry frames - 1 - i.
        # Reading padded rows with a stride that is shorter by one shifts them so.
        scores = ops.pad(scores, ((0, 0), (0, 0), (0, 0), (0, 1)))
        flat = ops.reshape(scores, (count, self.heads, frames * (distances + 1)))
        flat = flat[:, :, frames - 1 : frames - 1 + frames * distances]
        return ops.reshape(flat, (count, self.heads, frames, distances))[..., :frames]


class SelfAttention(keras.layers.Layer):
    """Values moved along given weights.

    Parameters
    ----------
    heads
        Number of heads of the weights.
    value_width
        Channels of a value.
    """

    def __init__(self, heads: int, value_width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads, self.value_width = heads, value_width

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make both projections."""
        width = self.heads * self.value_width
        self.inward = linear(width, "in")
        self.inward.build(shape)
        self.outward = linear(int(shape[-1] or 0), "out", scale=0.05)
        self.outward.build((*shape[:-1], width))

    def call(self, x: Any, weights: Any) -> Any:
        """Transform (sequences, frames, width)."""
        count, frames, _ = x.shape
        values = ops.reshape(self.inward(x), (count, frames, self.heads, self.value_width))
        moved = ops.einsum("nhij,njhc->nihc", weights, values)
        return self.outward(ops.reshape(moved, (count, frames, self.heads * self.value_width)))


class NonlinAttention(keras.layers.Layer):
    """W[(A0 (tanh(s) * x)) * y]: the first head's weights, between two gates."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make both projections."""
        width = int(shape[-1] or 0)
        self.hidden = 3 * width // 4
        self.inward = linear(3 * self.hidden, "in")
        self.inward.build(shape)
        self.outward = linear(width, "out", scale=0.05)
        self.outward.build((*shape[:-1], self.hidden))

    def call(self, x: Any, weights: Any) -> Any:
        """Transform (sequences, frames, width)."""
        hidden = self.hidden
        projected = self.inward(x)
        values = ops.tanh(projected[..., :hidden]) * projected[..., hidden : 2 * hidden]
        moved = ops.matmul(weights[:, 0], values)
        return self.outward(moved * projected[..., 2 * hidden :])
