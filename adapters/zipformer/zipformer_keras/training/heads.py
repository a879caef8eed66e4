"""Heads for pitch and activity on a trained network that stays as it is; its features are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..configuration import Configuration, bin_count
from ..pitches import PITCHES, VOCALS, nearest
from ..spectrum import Samples, analyse, cells, pooled, product
from .labels import activity, pitch
from .loss import LEVEL
from .song_cache import FRAMES, HEARD, si_sdr

Numbers = npt.NDArray[Any]
BLUR = 1.0
"""Standard deviation of a label, in pitches of 20 cents."""
NEAR = 1
"""So many pitches from the label, of 20 cents each, an answer is right."""
HEADS_WEIGHT = 2.0
"""Of the heads' cross entropies in nats, beside the separation's loss in dB."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Excerpts as the heads need them; arrays of excerpts.

    Parameters
    ----------
    logits, vectors, features
        Of the network, float16 (excerpts, frames, stems, 2, cells), (excerpts, frames, width) and
        (excerpts, frames, cells / 2, channels), see `Network.decoded`.
    seen
        What the network was given, float32 (excerpts, frames, 3, cells).
    mixture, shared
        |x|^2 and, for each stem, Re(x* s): float32 (excerpts, frames, 2, cells) and (excerpts,
        frames, stems, 2, cells).
    energy
        |s|^2 of each stem, (excerpts, stems).
    pitches
        The voice's pitch number in each frame; `PITCHES`: none, (excerpts, frames).
    sounding
        Whether each stem sounds, float32 (excerpts, frames, stems).
    """

    logits: Numbers
    vectors: Numbers
    seen: Numbers
    mixture: Numbers
    shared: Numbers
    energy: Numbers
    pitches: Numbers
    sounding: Numbers
    features: Numbers


def labelled(
    network: Any, configuration: Configuration, songs: Sequence[dict[str, Samples]]
) -> Labelled:
    """Run the network on excerpts of known stems once, and label them.

    Parameters
    ----------
    network
        Built without heads, with its weights.
    configuration
        Its sizes.
    songs
        For each excerpt all stems, float32 (2, samples); what is beyond `FRAMES` frames is left out.
    """
    import keras
    import tensorflow as tf

    c = configuration
    length = (FRAMES - 1) * c.step + c.frame

    def run(seen: Any) -> Any:
        numbers, features, vectors = network.decoded(seen)
        shape = (1, FRAMES, len(c.stems), 2, int(numbers.shape[-1]))
        return keras.ops.reshape(numbers, shape), vectors, features

    forward = tf.function(run, autograph=False)
    parts: list[list[Any]] = [[] for _ in range(9)]
    for stems in songs:
        sounds = [_fitted(stems[name], length) for name in c.stems]
        spectra = [analyse(sound, c.frame, c.step, bin_count(c.groups)) for sound in sounds]
        x = np.sum(spectra, axis=0)
        seen = cells(x, c.groups)
        logits, vectors, features = (
            array.numpy()[0].astype(np.float16)
            for array in forward(tf.constant(seen[None] * HEARD**2))
        )
        hertz = pitch(sounds[c.stems.index(VOCALS)], c.frame, c.step)
        found = (
            logits,
            vectors,
            seen * HEARD**2,
            seen[:, :2],
            np.stack([pooled(product(x, s), c.groups) for s in spectra]).transpose(2, 0, 1, 3),
            np.array([np.sum(np.square(np.abs(s))) for s in spectra], np.float32),
            nearest(hertz),
            np.stack([activity(s, c.frame, c.step) for s in sounds], axis=1).astype(np.float32),
            features,
        )
        for place, array in zip(parts, found, strict=True):
            place.append(array)
    return Labelled(*(np.stack(part) for part in parts))


def heads_error(answer: Any, heard: Any, pitches: Any, sounding: Any, known: Any = None) -> Any:
    """Mean cross entropy of pitch and activity against their labels, in nats.

    Parameters
    ----------
    answer, heard
        Logits, see `network.harmonics`: (batch, frames, pitches + 1) and (batch, frames, stems).
    pitches, sounding
        The labels, see `Labelled`.
    known
        1 where a stem's label counts, (batch, stems); None: everywhere.
    """
    from keras import ops

    truth = ops.cast(pitches, "float32")[..., None]
    voiced = ops.cast(truth < PITCHES, "float32")
    places = ops.arange(PITCHES + 1, dtype="float32")
    near = ops.exp(-0.5 * ops.square((places - truth) / BLUR)) * voiced
    near = ops.where(places == PITCHES, 1.0 - voiced, near)
    near = near / ops.sum(near, axis=-1, keepdims=True)
    crossed = -ops.mean(ops.sum(near * ops.log_softmax(answer, axis=-1), axis=-1))
    told = sounding * ops.softplus(-heard) + (1.0 - sounding) * ops.softplus(heard)
    weights = ops.ones_like(told) if known is None else known[:, None] * ops.ones_like(told)
    return crossed + ops.sum(weights * told) / ops.maximum(ops.sum(weights), 1.0)


def _fitted(samples: Samples, length: int) -> Samples:
    return np.pad(samples[:, :length], ((0, 0), (0, max(length - samples.shape[1], 0))))


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How heads are trained.

    Parameters
    ----------
    heads, comb, gate
        Whether pitch and activity, the comb's gains, and the activities' gains learn.
    steps, batch_size, learning_rate, seed
        Of Adam.
    """

    heads: bool = True
    comb: bool = True
    gate: bool = True
    steps: int = 300
    batch_size: int = 4
    learning_rate: float = 5e-3
    seed: int = 0


class Heads:
    """A layer of heads that learns from labelled excerpts.

    Parameters
    ----------
    configuration
        With ``harmonics``.
    arrays
        The layer's variables to start from, by name; empty: as it is made.
    """

    def __init__(
        self, configuration: Configuration, arrays: dict[str, Numbers] | None = None
    ) -> None:
        from ..network.harmonics import Harmonics

        self.configuration = configuration
        self.layer = Harmonics(configuration, name="harmonics")
        self.layer.build((None,))
        for variable in self.layer.variables:
            if arrays:
                variable.assign(arrays[f"harmonics/{variable.name}"])

    def train(self, songs: Labelled, settings: HeadSettings) -> None:
        """Take the steps of `settings`."""
        import keras
        import tensorflow as tf

        layer, parts = self.layer, []
        if settings.heads:
            parts += [layer.salience, layer.pitch_kernel, layer.pitch_bias]
            parts += [layer.activity_kernel, layer.activity_bias]
        parts += [layer.inside, layer.between] if settings.comb else []
        parts += [layer.gate] if settings.gate else []
        optimizer = keras.optimizers.Adam(settings.learning_rate, global_clipnorm=1.0)
        optimizer.build(parts)

        def learn(*batch: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = self._loss(settings, *batch)
            gradients = tape.gradient(loss, [v.value for v in parts])
            optimizer.apply_gradients(zip(gradients, parts, strict=True))
            return loss

        step = tf.function(learn, autograph=False)
        rng = np.random.default_rng(settings.seed)
        for _ in range(settings.steps):
            chosen = rng.integers(0, len(songs.energy), settings.batch_size)
            step(*(tf.constant(array) for array in self._batch(songs, chosen)))

    def _batch(self, songs: Labelled, chosen: Any) -> tuple[Numbers, ...]:
        return tuple(getattr(songs, name)[chosen] for name in Labelled.__slots__[:-1])

    def _outcome(self, logits: Any, vectors: Any, seen: Any) -> tuple[Any, Any, Any]:
        from keras import ops

        logits, vectors = ops.cast(logits, "float32"), ops.cast(vectors, "float32")
        masks = ops.softmax(logits, axis=2)[:, :, self.layer.vocals]
        pitches, sounding = self.layer.heads(masks, seen, vectors)
        raised = logits + self.layer.added(pitches, sounding)
        return ops.softmax(raised, axis=2), pitches, sounding

    def _loss(self, settings: HeadSettings, logits: Any, vectors: Any, seen: Any, mixture: Any,
              shared: Any, energy: Any, pitches: Any, sounding: Any) -> Any:  # fmt: skip
        from keras import ops

        masks, answer, heard = self._outcome(logits, vectors, seen)
        total: Any = 0.0
        if settings.comb or settings.gate:
            x = mixture[:, :, None]
            error = ops.sum(masks * (masks * x - 2.0 * shared), axis=(1, 3, 4)) + energy
            level = ops.maximum(error, 0.0) / (ops.sum(mixture, axis=(1, 2, 3))[:, None] + 1e-6)
            total = total + 10.0 / np.log(10.0) * ops.mean(ops.log(level + LEVEL))
        if settings.heads:
            total = total + HEADS_WEIGHT * heads_error(answer, heard, pitches, sounding)
        return total

    def scores(self, songs: Labelled, songs_of: Sequence[int]) -> dict[str, Numbers]:
        """What the layer gives on excerpts that belong to songs.

        Parameters
        ----------
        songs
            The excerpts.
        songs_of
            Which song each excerpt is of.

        Returns
        -------
        dict
            ``si_sdr`` in dB, (songs, stems); ``bleed`` in dB of the mixture, (stems,), where a stem is
            silent; ``pitch`` (share of the voiced frames whose pitch is the label's or one of its two
            neighbours, 20 cents each), ``voicing`` and ``activity`` (share of right answers).
        """
        import tensorflow as tf

        function = tf.function(self._outcome, autograph=False)
        sums = np.zeros((max(songs_of) + 1, 3, len(self.configuration.stems)))
        silent, right = np.zeros((2, len(self.configuration.stems))), np.zeros(5)
        for place, song in enumerate(songs_of):
            one = slice(place, place + 1)
            given = (songs.logits[one], songs.vectors[one], songs.seen[one])
            masks, pitches, sounding = (
                np.asarray(a)[0] for a in function(*map(tf.constant, given))
            )
            output = np.square(masks) * songs.mixture[place][:, None]
            sums[song, 0] += (masks * songs.shared[place]).sum(axis=(0, 2, 3))
            sums[song, 1] += output.sum(axis=(0, 2, 3))
            sums[song, 2] += songs.energy[place]
            quiet = 1.0 - songs.sounding[place]
            silent[0] += (quiet * output.sum(axis=(2, 3))).sum(axis=0)
            silent[1] += (quiet * songs.mixture[place].sum(axis=(1, 2))[:, None]).sum(axis=0)
            truth, answer = songs.pitches[place], pitches.argmax(axis=-1)
            voiced = truth < PITCHES
            right += (
                (voiced & (np.abs(answer - truth) <= NEAR) & (answer < PITCHES)).sum(),
                voiced.sum(),
                ((answer < PITCHES) == voiced).sum(),
                voiced.size,
                ((sounding > 0) == (songs.sounding[place] > 0.5)).mean() * voiced.size,
            )
        values = [[si_sdr(*row) for row in song.T] for song in sums]
        return {
            "si_sdr": np.array(values),
            "bleed": 10.0 * np.log10((silent[0] + 1e-12) / (silent[1] + 1e-12)),
            "pitch": np.array(right[0] / max(right[1], 1)),
            "voicing": np.array(right[2] / right[3]),
            "activity": np.array(right[4] / right[3]),
        }

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """The layer's variables by name."""
        return {f"harmonics/{v.name}": np.asarray(v, np.float32) for v in self.layer.variables}
