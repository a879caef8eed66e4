"""The separator's network: features of a spectrum in, masks out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ..configuration import CHANNELS, Configuration, cell_count
from ..queries import SIGNATURE
from .embedding import ConvEmbed, ConvMask
from .encoder import Stack
from .features import Standardize, features
from .grouping import Grouping
from .grown import GrownStem
from .harmonics import Harmonics
from .layers import BiasNorm
from .query import Query


class Network(keras.Model):
    """An embedding, stacks, masks.

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
        numbers = len(c.stems) * CHANNELS
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
        self.norm = BiasNorm(name="norm")
        self.stacks = [
            Stack(factor, layers, c.layer_shape(factor), name=f"stack_{index}")
            for index, (factor, layers) in enumerate(c.stacks)
        ]

    def call(self, cells: Any, training: bool = False) -> Any:
        """Masks of a mixture.

        Parameters
        ----------
        cells
            (batch, frames, 3, cells), see `features`.
        training
            Whether to drop.

        Returns
        -------
        (batch, frames, outputs, 2, cells).
        """
        return self.with_notes(cells, training=training)[0]

    def with_notes(self, cells: Any, *, training: bool = False) -> tuple[Any, Any]:
        """Masks, and the notes of `Harmonics`; None of a network without these heads."""
        c = self.configuration
        numbers, last, vectors = self.decoded(cells, training=training)
        if c.grouping:
            numbers = numbers + self.grouping(last, vectors)
        batch, frames, _, count = (int(size) for size in numbers.shape)
        logits = ops.reshape(numbers, (batch, frames, len(c.stems), CHANNELS, count))
        notes = None
        if c.harmonics:
            logits, notes = self.harmonics(logits, cells, vectors)
        masks = ops.softmax(logits, axis=2)
        return self.grown(masks, logits, last, vectors) if c.grown else masks, notes

    def decoded(
        self, cells: Any, *, change: Mapping[str, Any] | None = None, training: bool = False
    ) -> tuple[Any, Any, Any]:
        """The numbers of every cell, and what they come from.

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
            vectors = self._encoded(x, training)
            return *self.unembed(vectors, levels), vectors
        x = x * (1.0 + change["scale"][:, None]) + change["shift"][:, None]
        vectors = self._encoded(x, training)
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
        """One vector a frame, from which masks are made.

        Parameters
        ----------
        cells
            (batch, frames, 3, cells), see `features`.
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
            where = hidden[:, :, None]
            x = x * (1.0 - where) + token * where
        return self._encoded(x, training) if encoded else x

    @property
    def trunk_variables(self) -> list[Any]:
        """Trainable variables up to the vectors: all but those of the way from them to masks."""
        left_out = {id(variable) for variable in self.unembed.variables}
        return [v for v in self.trainable_variables if id(v) not in left_out]

    def _embedded(self, cells: Any) -> tuple[Any, list[Any]]:
        """Cells to (batch, frames, width), and what the levels of the embedding gave."""
        seen = self.standardize(features(cells))
        x, levels = self.embed(ops.transpose(seen, (0, 1, 3, 2)))
        return x, levels

    def _encoded(self, x: Any, training: bool) -> Any:
        """(batch, frames, width) through norm and stacks."""
        x = self.norm(x)
        for stack in self.stacks:
            x = stack(x, training=training)
        return x

    def adapt(self, cells: Any) -> None:
        """Measure what the features of typical mixtures are like, before training."""
        self.standardize.adapt(features(ops.convert_to_tensor(cells)))
