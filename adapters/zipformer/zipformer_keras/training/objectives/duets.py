"""Two singers at once: no matter which is which (permutation-invariant), or the one of an example first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from keras import ops

from ...configuration import Configuration, bin_count
from ...queries import SCALE_DB, SIGNATURE, QueryError, signature
from ...spectrum import Numbers, Samples
from ..augmentation import Excerpt, stereo_window
from ..batches import Batch, cell_example, excerpt_length
from ..loss import LEVEL, error_energies
from ..recipe import Recipe
from .base import Outcome

Song = Callable[[], Mapping[str, npt.NDArray[Any]]]
SINGERS = ("vocals", "voice-1", "voice-2")
TRIES = 8
QUIET = 1e-3
EXAMPLE_S = 4.0
ADAPTED = 200
"""Singers whose signatures are measured before training."""
TILT_DB = 3.0
"""An example's spectrum is tilted by up to so much at both ends, as if recorded elsewhere."""
OCTAVES = 0.5
"""By so much at most a singer's pitch and formants are moved."""
VOICES_DB, BAND_DB, LEVEL_DB = 3.0, 6.0, 12.0
"""The second voice is up to so much softer or louder than the first; the band; and all together, softer."""
LOUDNESS = 0.08
"""Root mean square of the first voice, before all is made softer."""


class Duets:
    """Windows of two songs' vocals, in half of the excerpts with a third song's accompaniment.

    Parameters
    ----------
    songs
        With vocals, or two voices, and in some of them other stems. Each voice is played faster or slower, and
        so is its example: another pitch and other formants are another singer.
    configuration
        Of the variant ``duet``.
    recipe
        Sizes.
    asked
        Share of the excerpts that come with an example of the first singer, another window of the
        same song; 0: the loss is permutation-invariant everywhere.
    """

    name = "duets"

    def __init__(
        self, songs: Sequence[Song], configuration: Configuration, recipe: Recipe, asked: float
    ) -> None:
        self.configuration, self.recipe, self.asked = configuration, recipe, asked
        named = [(song, set(song())) for song in songs]
        self._singers = [(song, n) for song, names in named for n in SINGERS if n in names]
        self._bands = [(s, names - set(SINGERS)) for s, names in named if names - set(SINGERS)]
        if len(self._singers) < 2:
            raise ValueError("Two singers at once need at least two songs with vocals.")

    @property
    def variables(self) -> list[Any]:
        """None."""
        return []

    def trained(self, network: Any) -> list[Any]:
        """All of the network's; those of the query only if examples come."""
        left_out = set() if self.asked else {id(v) for v in network.query.variables}
        return [v for v in network.trainable_variables if id(v) not in left_out]

    def adapt(self, network: Any) -> None:
        """Measure the signatures of singers, before training."""
        rng = np.random.default_rng(self.recipe.seed)
        chosen = rng.choice(len(self._singers), min(ADAPTED, len(self._singers)), replace=False)
        drawn = (self._query(int(index), _speeds(rng)[0], rng) for index in chosen)
        network.query.adapt(np.stack([query for query in drawn if query is not None]))

    def draw(self, rng: np.random.Generator) -> Batch:
        """Cells, targets, energies, known (see `batches.cell_example`), signatures, and which count."""
        c = self.configuration
        length = excerpt_length(c, self.recipe.frames)
        gains = np.ones((3, bin_count(c.groups)), np.float32)
        examples = []
        for _ in range(self.recipe.batch_size):
            stems, query = self._mixed(length, rng)
            excerpt = Excerpt(stems, np.ones(3, np.float32))
            seen = cell_example(excerpt, gains, c)
            given = np.zeros(SIGNATURE, np.float32) if query is None else query
            examples.append((*seen, given, np.float32(query is not None)))
        return tuple(np.stack(parts) for parts in zip(*examples, strict=True))

    def _mixed(self, length: int, rng: np.random.Generator) -> tuple[Samples, Numbers | None]:
        first, second = rng.choice(len(self._singers), 2, replace=False)
        stems = np.zeros((3, 2, length), np.float32)
        speeds = _speeds(rng)
        for place, (index, spread) in enumerate(((first, 0.0), (second, VOICES_DB))):
            song, name = self._singers[int(index)]
            stems[place] = _window(song()[name], length, speeds[place], rng) * _gain(spread, rng)
        if self._bands and rng.random() < 0.5:
            song, names = self._bands[int(rng.integers(len(self._bands)))]
            at, parts = rng.random(), song()
            windows = [stereo_window(parts[name], at, length) for name in sorted(names)]
            total: Samples = np.sum(windows, axis=0)
            stems[2, :, : total.shape[1]] = _levelled(total) * _gain(BAND_DB, rng)
        stems *= np.float32(10.0 ** (-LEVEL_DB * rng.random() / 20.0))
        if rng.random() >= self.asked:
            return stems, None
        return stems, self._query(int(first), speeds[0], rng)

    def _query(self, singer: int, speed: float, rng: np.random.Generator) -> Numbers | None:
        """The signature of a window of a singer's song."""
        song, name = self._singers[singer]
        example = _window(song()[name], round(EXAMPLE_S * 44_100), speed, rng)
        try:
            query = signature(example, self.configuration)
        except QueryError:
            return None
        means = query[: SIGNATURE // 2]
        means += TILT_DB / SCALE_DB * rng.uniform(-1.0, 1.0) * np.linspace(-1.0, 1.0, means.size)
        return query

    def outcome(self, network: Any, *batch: Any, training: bool = True) -> Outcome:
        """Mean over the stems of the error over the mixture in dB."""
        seen, targets, energy, _, signatures, asked = batch
        change = network.query(signatures, asked) if self.asked else None
        numbers, features, vectors = network.decoded(seen, change=change, training=training)
        if self.configuration.grouping:
            numbers = numbers + network.grouping(features, vectors)
        size, frames, _, cells = (int(number) for number in numbers.shape)
        logits = ops.reshape(ops.cast(numbers, "float32"), (size, frames, 3, -1, cells))
        masks = ops.softmax(logits, axis=2)
        heard = ops.sum(seen[:, :, :2], axis=(1, 2, 3))[:, None] + 1e-6

        def levels(order: Sequence[int]) -> Any:
            aimed, loud = ops.take(targets, order, axis=2), ops.take(energy, order, axis=1)
            errors = error_energies(masks, seen, aimed, loud)
            return 10.0 / np.log(10.0) * ops.mean(ops.log(errors / heard + LEVEL), axis=1)

        straight, crossed = levels((0, 1, 2)), levels((1, 0, 2))
        best = ops.minimum(straight, crossed)
        loss = ops.mean(asked * straight + (1.0 - asked) * best)
        return Outcome(loss, loss, ops.zeros(()))


def _speeds(rng: np.random.Generator) -> tuple[float, float]:
    """Of two singers; in half of the cases one goes up and the other down."""
    first, second = rng.uniform(-OCTAVES, OCTAVES, 2)
    if rng.random() < 0.5:
        second = -np.sign(first) * abs(second)
    return float(2.0**first), float(2.0**second)


def _window(
    samples: npt.NDArray[Any], length: int, speed: float, rng: np.random.Generator
) -> Samples:
    """A window that is not silent, float32 (2, length), of the loudness `LOUDNESS`."""
    longer = int(np.ceil(length * speed))
    window = stereo_window(samples, rng.random(), longer)
    for _ in range(TRIES):
        if np.abs(window[:, ::64]).max(initial=0.0) > QUIET:
            break
        window = stereo_window(samples, rng.random(), longer)
    window = soxr.resample(window.T, speed, 1.0, quality="LQ").T[:, :length]
    filled = np.zeros((2, length), np.float32)
    filled[:, : window.shape[1]] = _levelled(window)
    return filled


def _levelled(samples: Samples) -> Samples:
    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) + 1e-6
    return samples * np.float32(min(LOUDNESS / level, 100.0))


def _gain(spread: float, rng: np.random.Generator) -> np.float32:
    return np.float32(10.0 ** (spread * rng.uniform(-1.0, 1.0) / 20.0))
