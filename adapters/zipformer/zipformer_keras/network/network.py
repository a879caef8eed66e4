"""The separator's network: features of a spectrum in, masks out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ..configuration import CHANNELS, FLOOR, Configuration, LayerShape, cell_count
from ..queries import SIGNATURE
from .bands import BandSplit, MaskHead, Standardize
from .embedding import ConvEmbed, ConvMask
from .encoder import DualPathStack
from .grouping import Grouping
from .grown import GrownStem
from .harmonics import Harmonics
from .layers import BiasNorm
from .query import Query


class Network(keras.Model):
    """Bands or an embedding, stacks, masks.

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
        numbers = len(c.stems) * CHANNELS * (2 if c.mask == "complex" else 1)
        if c.embed:
            self.embed = ConvEmbed(c.embed, c.width, c.chunk, name="embed")
            self.unembed = ConvMask(c.embed, cell_count(c.groups), numbers, c.chunk, name="unembed")
            if c.grown:
                self.grown = GrownStem(c, name="grown")
            if c.grouping:
                self.grouping = Grouping(c, name="grouping")
            if c.harmonics:
                self.harmonics = Harmonics(c, name="harmonics")
            if c.query:
                self.query = Query(c, name="query")
        else:
            self.split = BandSplit(c.groups, c.width, name="split")
            self.head = MaskHead(c.groups, numbers, c.hidden, name="head")
        self.norm = BiasNorm(name="norm")
        self.stacks = []
        for index, (time_factor, band_factor, units) in enumerate(c.stacks):
            chunk = None if c.chunk is None else c.chunk // time_factor
            sizes = (c.width, c.heads, c.query_width, c.value_width, c.feedforward)
            self.stacks.append(
                DualPathStack(
                    time_factor,
                    band_factor,
                    units,
                    LayerShape(*sizes, c.time_kernel, c.dropout, chunk, c.left),
                    None if c.embed else LayerShape(*sizes, c.band_kernel, c.dropout),
                    name=f"stack_{index}",
                )
            )

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
        (batch, frames, outputs, 2, cells), or with complex masks (batch, frames, 2, stems, 2,
        cells): real and imaginary parts.
        """
        return self.with_notes(cells, training=training)[0]

    def with_notes(self, cells: Any, *, training: bool = False) -> tuple[Any, Any]:
        """Masks, and the notes of `Harmonics`; None of a network without these heads."""
        c = self.configuration
        if c.embed:
            numbers, features, vectors = self.decoded(cells, training=training)
            if c.grouping:
                numbers = numbers + self.grouping(features, vectors)
        else:
            x, _ = self._embedded(cells)
            numbers = self.head(self._encoded(x, training))
        batch, frames, _, count = (int(size) for size in numbers.shape)
        stems = len(c.stems)
        if c.mask == "complex":
            shaped = ops.reshape(numbers, (batch, frames, 2, stems, CHANNELS, count))
            start = ops.convert_to_tensor([1.0 / stems, 0.0], dtype=shaped.dtype)
            offset = ops.reshape(start, (2, 1, 1, 1))
            return shaped + offset, None
        logits = ops.reshape(numbers, (batch, frames, stems, CHANNELS, count))
        notes = None
        if c.harmonics:
            logits, notes = self.harmonics(logits, cells, vectors)
        masks = ops.softmax(logits, axis=2)
        return self.grown(masks, logits, features, vectors) if c.grown else masks, notes

    def decoded(
        self, cells: Any, *, change: Mapping[str, Any] | None = None, training: bool = False
    ) -> tuple[Any, Any, Any]:
        """The numbers of every cell, and what they come from; for networks with an embedding.

        Parameters
        ----------
        cells, training
            See `call`.
        change
            What an example changes, see `query.Query`.

        Returns
        -------
        (batch, frames, stems * 2, cells); what the last level is given, (batch, frames, cells / 2,
        channels); one vector a frame, (batch, frames, width).
        """
        x, levels = self._embedded(cells)
        if self.configuration.query and not self.query.built:
            self.query.build((None, SIGNATURE))
        if change is None:
            vectors = self._encoded(x, training)[0]
            return *self.unembed(vectors, levels), vectors
        x = x * (1.0 + change["scale"][None, :, None]) + change["shift"][None, :, None]
        vectors = self._encoded(x, training)[0]
        numbers, features = self.unembed(
            vectors * (1.0 + change["read"][:, None]),
            levels,
            [change.get(f"level_{index}") for index in range(len(levels))],
        )
        return numbers + self.query.added(features, change["kernel"]), features, vectors

    def vectors(
        self,
        cells: Any,
        *,
        hidden: Any = None,
        token: Any = None,
        encoded: bool = True,
        training: bool = False,
    ) -> Any:
        """One vector a frame, from which masks are made; with bands, the mean over the bands.

        Parameters
        ----------
        cells
            (batch, frames, 3 or 4, cells), see `features`.
        hidden
            (batch, frames): 1 where the encoder sees `token` in place of the frame; None: nowhere.
        token
            (width,).
        encoded
            False for the vectors that the encoder is given.
        training
            Whether to drop.

        Returns
        -------
        (batch, frames, width).
        """
        x, _ = self._embedded(cells)
        if hidden is not None:
            where = hidden[None, :, :, None]
            x = x * (1.0 - where) + token * where
        if encoded:
            x = self._encoded(x, training)
        return ops.mean(x, axis=0)

    @property
    def trunk_variables(self) -> list[Any]:
        """Trainable variables up to the vectors: all but those of the way from them to masks."""
        way_out = self.unembed if self.configuration.embed else self.head
        left_out = {id(variable) for variable in way_out.variables}
        return [v for v in self.trainable_variables if id(v) not in left_out]

    def _embedded(self, cells: Any) -> tuple[Any, list[Any]]:
        """Cells to (bands, batch, frames, width), and what the levels of an embedding gave."""
        seen = self.standardize(features(cells, self.configuration.mask))
        if not self.configuration.embed:
            return self.split(seen), []
        x, levels = self.embed(ops.transpose(seen, (0, 1, 3, 2)))
        return x[None], levels

    def _encoded(self, x: Any, training: bool) -> Any:
        """(bands, batch, frames, width) through norm and stacks."""
        x = self.norm(x)
        for stack in self.stacks:
            x = stack(x, training=training)
        return x

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
