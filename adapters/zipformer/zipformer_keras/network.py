"""The separator's network: features of a spectrum in, masks out."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .bands import BandSplit, MaskHead, Standardize
from .configuration import CHANNELS, FLOOR, Configuration, LayerShape, band_count
from .encoder import DualPathStack
from .layers import BiasNorm, linear


class Network(keras.Model):
    """Band split, stacks, masks.

    Parameters
    ----------
    configuration
        The variant.
    """

    def __init__(self, configuration: Configuration, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        c = configuration
        self.configuration = c
        self.standardize = Standardize(name="standardize")
        self.split = BandSplit(c.groups, c.width, name="split")
        self.norm = BiasNorm(name="norm")
        if c.joined:
            self.join = linear(c.joined, "join")
            self.part = linear(band_count(c.groups) * c.width, "part", scale=0.3)
        self.stacks = []
        for index, (time_factor, band_factor, units) in enumerate(c.stacks):
            chunk = None if c.chunk is None else c.chunk // time_factor
            sizes = (c.joined or c.width, c.heads, c.query_width, c.value_width, c.feedforward)
            self.stacks.append(
                DualPathStack(
                    time_factor,
                    band_factor,
                    units,
                    LayerShape(*sizes, c.time_kernel, c.dropout, chunk, c.left),
                    None if c.joined else LayerShape(*sizes, c.band_kernel, c.dropout),
                    name=f"stack_{index}",
                )
            )
        numbers = len(c.stems) * CHANNELS * (2 if c.mask == "complex" else 1)
        self.head = MaskHead(c.groups, numbers, c.hidden, name="head")

    def call(self, cells: Any, training: bool = False) -> Any:
        """Masks of a mixture.

        Parameters
        ----------
        cells
            (batch, frames, 3 or 4, cells), see `features`.
        training
            Whether to drop.

        Returns
        -------
        (batch, frames, stems, 2, cells), or with complex masks (batch, frames, 2, stems, 2,
        cells): real and imaginary parts.
        """
        c = self.configuration
        x = self.norm(self.split(self.standardize(features(cells, c.mask))))
        if c.joined:
            skip = x
            bands, batch, frames, width = (int(size) for size in x.shape)
            x = ops.reshape(ops.transpose(x, (1, 2, 0, 3)), (1, batch, frames, bands * width))
            x = self.join(x)
        for stack in self.stacks:
            x = stack(x, training=training)
        if c.joined:
            x = ops.reshape(self.part(x), (batch, frames, bands, width))
            x = skip + ops.transpose(x, (2, 0, 1, 3))
        numbers = self.head(x)
        batch, frames, _, count = (int(size) for size in numbers.shape)
        stems = len(c.stems)
        if c.mask == "complex":
            shaped = ops.reshape(numbers, (batch, frames, 2, stems, CHANNELS, count))
            start = ops.convert_to_tensor([1.0 / stems, 0.0], dtype=shaped.dtype)
            offset = ops.reshape(start, (2, 1, 1, 1))
            return shaped + offset
        return ops.softmax(ops.reshape(numbers, (batch, frames, stems, CHANNELS, count)), axis=2)

    def adapt(self, cells: Any) -> None:
        """Measure what the features of typical mixtures are like, before training."""
        seen = features(ops.convert_to_tensor(cells), self.configuration.mask)
        self.standardize.adapt(seen)


def features(cells: Any, mask: str) -> Any:
    """What the network sees of each cell, loud and soft brought closer together.

    Parameters
    ----------
    cells
        (batch, frames, 3, cells): energies of left and right and the real part of left times
        conjugate right. For complex masks (batch, frames, 4, cells): real parts of left and
        right, then imaginary parts.
    mask
        See `Configuration`.

    Returns
    -------
    (batch, frames, 4, cells): the fourth roots of the magnitudes of left, right, middle and
    side; or the given numbers over the magnitude's root.
    """
    if mask == "complex":
        energy = ops.square(cells[:, :, :2]) + ops.square(cells[:, :, 2:]) + FLOOR
        # |x|^(-3/4), from an energy |x|^2, by roots alone: powers are slow.
        scale = ops.rsqrt(ops.sqrt(energy) * ops.sqrt(ops.sqrt(energy)))
        return cells * ops.concatenate([scale, scale], axis=2)
    left, right, cross = cells[:, :, 0], cells[:, :, 1], cells[:, :, 2]
    middle, side = (left + right) * 0.25 + cross * 0.5, (left + right) * 0.25 - cross * 0.5
    stacked = ops.stack([left, right, middle, side], axis=2)
    return ops.sqrt(ops.sqrt(ops.sqrt(ops.maximum(stacked, 0.0) + FLOOR)))
