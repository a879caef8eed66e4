"""Song-adaptive masks: an oracle, and the layer `grouping` on the frozen network.

The oracle tunes the last layer's 1,160 numbers on the true stems of each test song and scores that very
song: no layer that changes only these numbers can gain more.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from zipformer_keras.network.embedding import doubled
from zipformer_keras.network.grouping import Grouping
from zipformer_keras.training.heads import Labelled
from zipformer_keras.training.song_cache import si_sdr
from zipformer_keras.variants import TINY

from benchmarks.structure.common import markdown, shipped, timed, with_error
from benchmarks.structure.harmonics import labelled_songs

STEPS, LEARNING_RATE = 60, 3e-3
EACH = 4
"""Excerpts of 3 s that a test song has."""


def main(given: argparse.Namespace) -> None:
    """Print the gains over the shipped network."""
    network, weights = shipped()
    with timed("features"):
        tested, songs_of, _ = labelled_songs(network, given.material / "test", 8, EACH)
    count = max(songs_of) + 1
    rows = []
    with timed("oracle"):
        gains = [
            _oracle(weights, _part(tested, slice(s * EACH, s * EACH + EACH))) for s in range(count)
        ]
    rows.append(["1,160 numbers tuned on the true stems (oracle)", *_cells(gains)])
    print(rows[-1], flush=True)
    with timed("features of train songs"):
        taught, _, _ = labelled_songs(network, given.material / "train", given.songs, 2)
    with timed("grouping"):
        for seed in range(given.seeds):
            gains = _learned(taught, tested, count, seed)
            rows.append([f"`grouping`, seed {seed}", *_cells(gains)])
            print(rows[-1], flush=True)
    print(markdown(["gain, dB (standard error over songs)", *TINY.stems, "mean"], rows))


def _cells(gains: list[np.ndarray]) -> list[str]:
    columns = np.array(gains).T
    return [*(with_error(list(column)) for column in columns), f"{columns.mean():+.2f}"]


def _part(songs: Labelled, chosen: slice) -> Labelled:
    return replace(songs, **{name: getattr(songs, name)[chosen] for name in Labelled.__slots__})


def _masks(numbers, size: int):
    from keras import ops

    return ops.softmax(
        ops.reshape(numbers, (size, numbers.shape[1], len(TINY.stems), 2, -1)), axis=2
    )


def _sums(masks, mixture, shared, axes=(0, 1, 3, 4)):
    from keras import ops

    return ops.sum(masks * shared, axes), ops.sum(masks * masks * mixture[:, :, None], axes)


def _error(masks, mixture, shared, energy):
    """Mean over stems of the log error over the mixture, of every excerpt."""
    from keras import ops

    along, output = _sums(masks, mixture, shared, (1, 3, 4))
    heard = ops.sum(mixture, axis=(1, 2, 3))[:, None] + 1e-6
    return ops.mean(ops.log(ops.maximum(output - 2.0 * along + energy, 0.0) / heard + 1e-3))


def _si(masks, songs: Labelled) -> np.ndarray:
    along, output = (np.asarray(a, np.float64) for a in _sums(masks, songs.mixture, songs.shared))
    energy = songs.energy.sum(axis=0, dtype=np.float64)
    return np.array([si_sdr(*row) for row in zip(along, output, energy, strict=True)])


def _oracle(weights: dict[str, np.ndarray], song: Labelled) -> np.ndarray:
    """Gain of every stem of a song in dB."""
    import keras
    import tensorflow as tf

    kernel = keras.Variable(weights["unembed/kernel_0"])
    bias = keras.Variable(weights["unembed/bias_0"])
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build([kernel, bias])
    features = tf.constant(song.features.astype(np.float32))

    def masks(x):
        numbers = keras.ops.transpose(doubled(x, kernel, bias, None), (0, 1, 3, 2))
        return _masks(numbers, len(song.energy))

    def learn(x, mixture, shared, energy):
        with tf.GradientTape() as tape:
            loss = _error(masks(x), mixture, shared, energy)
        gradients = tape.gradient(loss, [kernel.value, bias.value])
        optimizer.apply_gradients(zip(gradients, [kernel, bias], strict=True))

    answer, step = (tf.function(f, autograph=False) for f in (masks, learn))
    before = _si(answer(features), song)
    known = [tf.constant(a) for a in (song.mixture, song.shared, song.energy)]
    for _ in range(STEPS):
        step(features, *known)
    return _si(answer(features), song) - before


def _learned(taught: Labelled, tested: Labelled, count: int, seed: int) -> list[np.ndarray]:
    """Gains of every test song with the layer, trained on the train songs' frozen features."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    layer = Grouping(replace(TINY, grouping=True))
    layer.build((None,))
    trained = layer.trainable_variables
    optimizer = keras.optimizers.Adam(1e-3, global_clipnorm=1.0)
    optimizer.build(trained)

    def masks(features, vectors, logits):
        features, vectors, logits = (
            keras.ops.cast(a, "float32") for a in (features, vectors, logits)
        )
        size, frames = int(logits.shape[0]), int(logits.shape[1])
        numbers = keras.ops.reshape(logits, (size, frames, len(TINY.stems) * 2, -1))
        return _masks(numbers + layer(features, vectors), size)

    def learn(features, vectors, logits, mixture, shared, energy):
        with tf.GradientTape() as tape:
            loss = _error(masks(features, vectors, logits), mixture, shared, energy)
        gradients = tape.gradient(loss, [v.value for v in trained])
        optimizer.apply_gradients(zip(gradients, trained, strict=True))

    step, answer = (tf.function(f, autograph=False) for f in (learn, masks))
    rng = np.random.default_rng(seed)
    names = ("features", "vectors", "logits", "mixture", "shared", "energy")
    for _ in range(150):
        chosen = rng.integers(0, len(taught.energy), 4)
        step(*(tf.constant(getattr(taught, name)[chosen]) for name in names))
    gains = []
    for song in range(count):
        part = _part(tested, slice(song * EACH, song * EACH + EACH))
        given = [tf.constant(getattr(part, name)) for name in names[:3]]
        logits = part.logits.astype(np.float32)
        before = np.exp(logits - logits.max(axis=2, keepdims=True))
        before /= before.sum(axis=2, keepdims=True)
        gains.append(_si(answer(*given), part) - _si(before, part))
    return gains
