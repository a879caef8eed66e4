"""A stem from a few songs: the network stays as it is, and its features are computed once.

Only `network.grown.GrownStem` learns, on the songs of `song_cache`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..configuration import Configuration, Grown
from .song_cache import Cached, Numbers, best_start, odds, si_sdr, unadapted

LIMIT_S = 240.0
"""Seconds that are kept of all examples together."""
MOST_BESIDE = 2
"""Stems of the network whose sum a new stem may start from."""
SLOWER = 0.05
"""Learning rate of the kernel and of the map from vectors, relative to that of the other parts: each of
their numbers acts on all cells."""
SLOW = ("kernel", "activity")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a stem is fitted.

    Parameters
    ----------
    steps
        Steps at most; fewer are taken where a song that is left out separates best before.
    batch_size
        Excerpts of a step.
    learning_rate
        Of Adam; that of the parts in `SLOW` is lower.
    check_every
        Steps between two looks at the song that is left out.
    parts
        Variables of `network.grown.GrownStem` that learn.
    seed
        Of the excerpts' order and the drawn start.
    """

    steps: int = 160
    batch_size: int = 4
    learning_rate: float = 0.02
    check_every: int = 20
    parts: tuple[str, ...] = ("kernel", "bias", "tone", "patterns", "activity")
    seed: int = 0


class Fit:
    """A grown stem that learns from cached songs.

    Parameters
    ----------
    configuration
        With `grown`.
    songs
        The songs that it learns from.
    settings
        How.
    """

    def __init__(
        self, configuration: Configuration, songs: Sequence[Cached], settings: Settings
    ) -> None:
        import keras
        import tensorflow as tf

        from ..network.grown import GrownStem

        assert configuration.grown is not None
        self._songs, self._settings = songs, settings
        self._members = [configuration.stems.index(name) for name in configuration.grown.beside]
        self._odds = {id(song): odds(song, self._members) for song in songs}
        self._rng = np.random.default_rng(settings.seed)
        keras.utils.set_random_seed(settings.seed)
        self.layer = layer = GrownStem(configuration, name="grown")
        layer.build((None,))
        trained = [getattr(layer, name) for name in settings.parts]
        optimizers = []
        for slow in (False, True):
            part = [v for v in trained if (v.name in SLOW) == slow]
            rate = settings.learning_rate * (SLOWER if slow else 1.0)
            optimizers.append((keras.optimizers.Adam(rate, global_clipnorm=1.0), part))
            optimizers[-1][0].build(part)

        def masks(features: Any, vectors: Any, margins: Any) -> Any:
            added = layer.added(
                keras.ops.cast(features, "float32"), keras.ops.cast(vectors, "float32")
            )
            return keras.ops.sigmoid(keras.ops.cast(margins, "float32") + added)

        def sums(mask: Any, mixture: Any, shared: Any) -> tuple[Any, Any]:
            axes = (1, 2, 3)
            return keras.ops.sum(mask * shared, axes), keras.ops.sum(mask * mask * mixture, axes)

        def learn(features: Any, vectors: Any, margins: Any, mixture: Any, shared: Any,
                  energy: Any) -> None:  # fmt: skip
            with tf.GradientTape() as tape:
                inner, output = sums(masks(features, vectors, margins), mixture, shared)
                # SI-SDR of all excerpts together: where the stem is silent, only the output counts.
                target = keras.ops.square(keras.ops.sum(inner)) / (keras.ops.sum(energy) + 1e-9)
                error = keras.ops.sum(output) - target
                loss = keras.ops.log(keras.ops.maximum(error, 0.0) + 1e-9)
                loss = loss - keras.ops.log(target + 1e-9)
            gradients = tape.gradient(loss, [v.value for v in trained])
            pairs = list(zip(gradients, trained, strict=True))
            for optimizer, part in optimizers:
                chosen = {id(v) for v in part}
                if part:
                    optimizer.apply_gradients([pair for pair in pairs if id(pair[1]) in chosen])

        def score(features: Any, vectors: Any, margins: Any, mixture: Any, shared: Any,
                  energy: Any) -> tuple[Any, Any]:  # fmt: skip
            del energy
            return sums(masks(features, vectors, margins), mixture, shared)

        self._learn = tf.function(learn, autograph=False)
        self._score = tf.function(score, autograph=False)

    def _batch(self, song: Cached, chosen: Any) -> tuple[Numbers, ...]:
        return (
            song.features[chosen], song.vectors[chosen], self._odds[id(song)][chosen],
            song.mixture[chosen], song.shared[chosen], song.energy[chosen],
        )  # fmt: skip

    def advance(self, steps: int) -> None:
        """Take some steps."""
        import tensorflow as tf

        for _ in range(steps):
            parts = []
            for _ in range(self._settings.batch_size):
                song = self._songs[int(self._rng.integers(len(self._songs)))]
                place = int(self._rng.integers(len(song.energy)))
                *arrays, mixture, shared, energy = self._batch(song, slice(place, place + 1))
                level = np.float32(song.energy.mean() + 1e-9)
                parts.append((*arrays, mixture / level, shared / level, energy / level))
            self._learn(*(tf.constant(np.concatenate(each)) for each in zip(*parts, strict=True)))

    def score(self, song: Cached) -> float:
        """SI-SDR of the stem in a song, in dB."""
        import tensorflow as tf

        shared, output, size = 0.0, 0.0, self._settings.batch_size
        if id(song) not in self._odds:
            self._odds[id(song)] = odds(song, self._members)
        for start in range(0, len(song.energy), size):
            batch = self._batch(song, slice(start, start + size))
            inner, energies = self._score(*map(tf.constant, batch))
            shared += float(np.sum(inner, dtype=np.float64))
            output += float(np.sum(energies, dtype=np.float64))
        return si_sdr(shared, output, float(song.energy.sum(dtype=np.float64)))

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """The layer's variables by name."""
        return {f"grown/{v.name}": np.asarray(v, np.float32) for v in self.layer.variables}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fit gave.

    Parameters
    ----------
    configuration
        The network's, with the grown stem.
    arrays
        The grown stem's variables by name.
    steps
        How many were taken.
    compared
        The one stem of the network that is most like the wanted stem.
    before, after
        SI-SDR in dB of every song: of that stem, and of a fit that did not know the song, with the
        number of steps that was best on the other songs. Empty of a single song.
    """

    configuration: Configuration
    arrays: Mapping[str, npt.NDArray[np.float32]]
    steps: int
    compared: str
    before: tuple[float, ...]
    after: tuple[float, ...]


def fit(
    configuration: Configuration,
    stem: str,
    songs: Sequence[Cached],
    settings: Settings,
    beside: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Fit a stem; the number of steps is that which separates songs best that were left out.

    Parameters
    ----------
    configuration
        The network's, without the stem.
    stem
        Its name.
    songs
        The examples.
    settings
        How.
    beside
        The stems that it starts from; empty: those whose sum is most like it.
    tell
        Called with a sentence about each song that was left out.
    """
    stems = configuration.stems
    fixed = (stem,) if stem in stems else beside
    compared = best_start(songs, len(stems), 1) if stem not in stems else (stems.index(stem),)
    before = tuple(unadapted(song, compared) for song in songs)

    def started(taught: Sequence[Cached]) -> Configuration:
        chosen = fixed or tuple(stems[i] for i in best_start(taught, len(stems), MOST_BESIDE))
        return replace(configuration, grown=Grown(stem, chosen))

    steps, after = settings.steps // 2, before[:0]
    if len(songs) > 1:
        curves = []
        for number, song in enumerate(songs):
            rest = [other for other in songs if other is not song]
            curves.append(_curve(Fit(started(rest), rest, settings), song, settings))
            tell(f"Example {number + 1} of {len(songs)}: {before[number]:.2f} dB unadapted, "
                 f"{max(curves[-1]):.2f} dB at best")  # fmt: skip
        steps, after = chosen_steps(np.array(curves), settings.check_every)
    grown = started(songs)
    final = Fit(grown, songs, settings)
    final.advance(steps)
    names = stems[compared[0]]
    return Outcome(grown, final.arrays(), steps, names, before if after else (), after)


def _curve(fitting: Fit, left_out: Cached, settings: Settings) -> list[float]:
    """SI-SDR of a song that was left out, before the first step and after every few."""
    curve = [fitting.score(left_out)]
    for _ in range(settings.steps // settings.check_every):
        fitting.advance(settings.check_every)
        curve.append(fitting.score(left_out))
    return curve


def chosen_steps(curves: Numbers, every: int) -> tuple[int, tuple[float, ...]]:
    """The best number of steps, and what each song gets with the best number of the other songs.

    Parameters
    ----------
    curves
        SI-SDR in dB, (songs, looks); the first look is before the first step.
    every
        Steps between two looks.
    """
    after = []
    for number, curve in enumerate(curves):
        others = np.delete(curves, number, axis=0)
        after.append(float(curve[int(np.argmax(others.mean(axis=0)))]))
    return int(np.argmax(curves.mean(axis=0))) * every, tuple(after)
