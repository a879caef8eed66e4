"""Transfer from speech: what does a voice say over music, and does it speak at all?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from ...configuration import Configuration
from ...spectrum import Samples
from ..augmentation import RATE
from ..batches import Batch
from ..recipe import Recipe
from .base import Outcome
from .excerpts import Song, WithoutStems
from .speech import PHONES, Utterance, VoiceActivity, utterances

SENTENCES = 64
LOUDER_DB = (-5.0, 10.0)
"""Speech over the music, by root mean squares."""


class Phones(WithoutStems):
    """The phone of every frame, of speech that is mixed into music.

    Parameters
    ----------
    songs, configuration, recipe
        As `excerpts.WithoutStems` has them.
    seed
        Of the sentences.
    """

    name = "phones"
    classes = len(PHONES)

    def __init__(
        self, songs: Sequence[Song], configuration: Configuration, recipe: Recipe, seed: int
    ) -> None:
        super().__init__(songs, configuration, recipe)
        rng = np.random.default_rng([seed, 2])
        self.spoken = utterances(SENTENCES, rng)
        limit = configuration.width**-0.5
        start = rng.uniform(-limit, limit, (configuration.width, self.classes))
        self.kernel = keras.Variable(start.astype(np.float32), name="kernel")
        self.bias = keras.Variable(np.zeros(self.classes, np.float32), name="bias")

    @property
    def variables(self) -> list[Any]:
        """The linear map from vectors to classes."""
        return [self.kernel, self.bias]

    def draw(self, rng: np.random.Generator) -> Batch:
        """What is heard; where the utterance is (all frames, for `Phones`); each frame's class."""
        windows = self.windows(rng)
        labels = np.stack([self._speak(window, rng) for window in windows])
        return self.seen(windows), self._asked(labels), labels

    def _speak(self, window: Samples, rng: np.random.Generator) -> npt.NDArray[np.int32]:
        """Add a sentence to a window, in place; the class of every frame."""
        said = self.spoken[int(rng.integers(len(self.spoken)))]
        length = window.shape[1]
        first = int(rng.integers(-said.samples.size // 2, max(length // 2, 1)))
        begin, end = max(first, 0), min(first + said.samples.size, length)
        part = said.samples[begin - first : end - first]
        music = float(np.sqrt(np.square(window).mean())) + 1e-3
        speech = float(np.sqrt(np.square(part).mean())) + 1e-6
        gain = music / speech * 10.0 ** (rng.uniform(*LOUDER_DB) / 20.0)
        window[:, begin:end] += np.float32(gain) * part
        c, frames = self.configuration, self.recipe.frames
        middles = (np.arange(frames) * c.step + c.frame // 2 - first) / RATE
        return self._labels(said, middles)

    def _labels(self, said: Utterance, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        return said.phone_at(seconds)

    def _asked(self, labels: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Frames whose answer counts: all that are spoken, and every eighth of the others."""
        sparse = np.arange(labels.shape[1]) % 8 == 0
        asked: npt.NDArray[np.float32] = ((labels > 0) | sparse).astype(np.float32)
        return asked

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """Cross entropy in nats, and the share of right answers."""
        heard, asked, labels = batch
        vectors = network.vectors(heard, training=training)
        logits = ops.matmul(vectors, self.kernel) + self.bias
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        right = ops.cast(ops.equal(ops.argmax(logits, axis=-1), labels), "float32")
        total = ops.sum(asked)
        counts = ops.sum(ops.one_hot(labels, self.classes) * asked[..., None], axis=(0, 1))
        return Outcome(
            ops.sum(asked * losses) / total,
            ops.sum(asked * right) / total,
            ops.max(counts) / total,
        )


class Voicing(Phones):
    """Whether somebody speaks in a frame, as silero-vad hears it in the speech alone."""

    name = "voicing"
    classes = 2

    def __init__(
        self, songs: Sequence[Song], configuration: Configuration, recipe: Recipe, seed: int
    ) -> None:
        super().__init__(songs, configuration, recipe, seed)
        self._activity = VoiceActivity()

    def _labels(self, said: Utterance, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        return self._activity.voiced_at(said, seconds)

    def _asked(self, labels: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return np.ones(labels.shape, np.float32)
