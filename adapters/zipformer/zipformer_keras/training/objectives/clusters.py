"""Masked prediction of units, as HuBERT learns: what class does a hidden frame belong to?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ...band_spectra import band_spectra
from ...configuration import Configuration
from ...spectrum import Numbers, Samples
from ..batches import Batch
from ..recipe import Recipe
from .base import Outcome
from .codebook import Codebook, Units
from .excerpts import Song, WithoutStems
from .hiding import spans

FITTED = 24
"""Batches whose frames k-means looks at."""

Describe = Callable[[Numbers], Numbers]
"""From what the network takes in to features of frames, float32 (size, frames, features)."""


class Clusters(WithoutStems):
    """Units are classes of level-free band spectra, or in a second iteration of a network's vectors.

    Parameters
    ----------
    songs
        Songs of which the mixture is known.
    configuration
        The variant.
    recipe
        Sizes, and shares that are hidden.
    seed
        Of the classes.
    describe
        What is put into classes; None: `band_spectra`.
    """

    name = "clusters"

    def __init__(
        self,
        songs: Sequence[Song],
        configuration: Configuration,
        recipe: Recipe,
        seed: int,
        describe: Describe | None = None,
    ) -> None:
        super().__init__(songs, configuration, recipe)
        self._describe = describe or band_spectra
        rng = np.random.default_rng([seed, 2])
        drawn = [self._describe(self.seen(self.windows(rng))) for _ in range(FITTED)]
        features = np.concatenate(drawn).reshape(-1, drawn[0].shape[-1])
        self.codebook = Codebook.fit(features, recipe.clusters, rng)
        self.token = keras.Variable(
            rng.uniform(-0.5, 0.5, configuration.width).astype(np.float32), name="token"
        )
        limit = configuration.width**-0.5
        start = rng.uniform(-limit, limit, (configuration.width, recipe.clusters))
        self.kernel = keras.Variable(start.astype(np.float32), name="kernel")
        self.bias = keras.Variable(np.zeros(recipe.clusters, np.float32), name="bias")

    @property
    def variables(self) -> list[Any]:
        """The vector in place of hidden frames, and the linear map from vectors to classes."""
        return [self.token, self.kernel, self.bias]

    def draw(self, rng: np.random.Generator) -> Batch:
        """What is heard, which frames are hidden, and the unit of every frame."""
        heard, clean = self._heard(rng)
        recipe = self.recipe
        hidden = spans(recipe.batch_size, recipe.frames, recipe.hidden, recipe.span, rng)
        return self.seen(heard), hidden, self._units(clean)

    def _heard(self, rng: np.random.Generator) -> tuple[Samples, Samples]:
        """Windows that the network hears, and those whose units it is asked for."""
        windows = self.windows(rng)
        return windows, windows

    def _units(self, windows: Samples) -> Units:
        return self.codebook.units(self._describe(self.seen(windows)))

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """Cross entropy in nats, and share of right answers, over the hidden frames."""
        heard, hidden, units = batch
        vectors = network.vectors(heard, hidden=hidden, token=self.token, training=training)
        logits = ops.matmul(vectors, self.kernel) + self.bias
        losses = keras.losses.sparse_categorical_crossentropy(units, logits, from_logits=True)
        right = ops.cast(ops.equal(ops.argmax(logits, axis=-1), units), "float32")
        total = ops.sum(hidden)
        counts = ops.sum(ops.one_hot(units, self.recipe.clusters) * hidden[..., None], axis=(0, 1))
        return Outcome(
            ops.sum(hidden * losses) / total,
            ops.sum(hidden * right) / total,
            ops.max(counts) / total,
        )


class Unmixing(Clusters):
    """Clusters while another song is mixed in, as WavLM learns: the units are the first song's.

    The other song sounds for up to half of the excerpt, 5 dB louder to 5 dB softer.
    """

    name = "unmixing"

    def _heard(self, rng: np.random.Generator) -> tuple[Samples, Samples]:
        clean, other = self.windows(rng), self.windows(rng)
        heard = clean.copy()
        length = clean.shape[-1]
        for one, added, window in zip(heard, clean, other, strict=True):
            count = int(rng.uniform(0.1, 0.5) * length)
            first = int(rng.integers(length - count))
            part = window[:, first : first + count]
            loudness = np.sqrt(np.square(added).mean() / (np.square(part).mean() + 1e-9))
            gain = min(float(loudness), 30.0) * 10.0 ** (rng.uniform(-5.0, 5.0) / 20.0)
            one[:, first : first + count] += np.float32(gain) * part
        return heard, clean
