"""What a trained network makes of a song, computed once, so that layers on top of it learn cheaply.

SI-SDR is measured on the cells: the inner product of a masked mixture with a stem is the sum of m Re(x* s) over
the cells, the energy of the masked mixture the sum of m^2 |x|^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from ..configuration import Configuration, bin_count
from ..spectrum import Samples, analyse, cells, pooled, product

Numbers = npt.NDArray[Any]

FRAMES = 128
"""Frames of an excerpt."""
RATE = 44_100
HEARD = np.float32(0.5)
"""How loud the network hears a song, as in `inference`."""
SMALL = 1e-7


@dataclass(frozen=True, slots=True)
class Cached:
    """Excerpts of one song as the grown stem needs them, float16 but for the energies.

    Parameters
    ----------
    features, vectors
        See `Network.decoded`: (excerpts, frames, cells / 2, channels), (excerpts, frames, width).
    margins
        Log odds of every stem of the network, (excerpts, frames, stems, 2, cells).
    mixture, shared
        |x|^2 and Re(x* s), float32 (excerpts, frames, 2, cells).
    energy
        |s|^2 of every excerpt, float32 (excerpts,).
    along, gram
        Of the network's stems, all excerpts together: <x m, s>, (stems,), and <x m, x m'>, (stems,
        stems). They give the SI-SDR of any sum of stems.
    """

    features: Numbers
    vectors: Numbers
    margins: Numbers
    mixture: Numbers
    shared: Numbers
    energy: Numbers
    along: Numbers
    gram: Numbers

    @classmethod
    def of(cls, features: Numbers, vectors: Numbers, margins: Numbers, mixture: Numbers,
           shared: Numbers, energy: Numbers) -> Cached:  # fmt: skip
        """Excerpts, and the sums that follow from them."""
        masks = (1.0 / (1.0 + np.exp(-part.astype(np.float32))) for part in margins)
        stems = margins.shape[2]
        along, gram = np.zeros(stems), np.zeros((stems, stems))
        for mask, x, s in zip(masks, mixture, shared, strict=True):
            flat = mask.swapaxes(0, 1).reshape(stems, -1)
            along += flat @ s.reshape(-1)
            gram += (flat * x.reshape(-1)) @ flat.T
        return cls(features, vectors, margins, mixture, shared, energy, along, gram)


def cached(
    network: Any,
    configuration: Configuration,
    stem: Samples,
    mixture: Samples,
    seconds: float,
) -> Cached:
    """Run the network on a song once.

    Parameters
    ----------
    network
        Built, with its weights.
    configuration
        Its sizes.
    stem, mixture
        float32 (2, samples) at 44.1 kHz.
    seconds
        At most so much of the song is kept, evenly spaced.
    """
    import keras
    import tensorflow as tf

    from ..network.grown import margin

    c = configuration
    length = (FRAMES - 1) * c.step + c.frame
    count = max(1, min(int(seconds * RATE / length), stem.shape[1] // length))
    starts = np.linspace(0, max(stem.shape[1] - length, 0), count).astype(int)
    stems = range(len(c.stems))

    def run(seen: Any) -> Any:
        numbers, features, vectors = network.decoded(seen)
        shape = (1, FRAMES, len(c.stems), 2, int(numbers.shape[-1]))
        logits = keras.ops.reshape(numbers, shape)
        if c.harmonics:
            logits, _ = network.harmonics(logits, seen, vectors)
        return features, vectors, keras.ops.stack([margin(logits, [s]) for s in stems], axis=2)

    forward = tf.function(run, autograph=False)
    parts: list[list[Any]] = [[] for _ in range(6)]
    for start in starts:
        x, s = (_spectrum(sound[:, start : start + length], c) for sound in (mixture, stem))
        seen = cells(x, c.groups)
        outcome = forward(tf.constant(seen[None] * HEARD**2))
        for place, array in enumerate(outcome):
            parts[place].append(array.numpy()[0].astype(np.float16))
        parts[3].append(seen[:, :2])
        parts[4].append(pooled(product(x, s), c.groups).transpose(1, 0, 2))
        parts[5].append(np.float32(np.sum(np.square(np.abs(s)))))
    return Cached.of(*(np.stack(part) for part in parts))


def _spectrum(samples: Samples, c: Configuration) -> Any:
    length = (FRAMES - 1) * c.step + c.frame
    padded = np.pad(samples, ((0, 0), (0, length - samples.shape[1])))
    return analyse(padded, c.frame, c.step, bin_count(c.groups))


def si_sdr(shared: float, output: float, energy: float) -> float:
    """SI-SDR in dB from <output, stem>, |output|^2 and |stem|^2."""
    target = shared**2 / max(energy, 1e-12)
    return float(10.0 * np.log10((target + 1e-12) / (max(output - target, 0.0) + 1e-12)))


def odds(song: Cached, members: Sequence[int]) -> Numbers:
    """Log odds of the sum of some stems, float16 (excerpts, frames, 2, cells)."""
    if len(members) == 1:
        return song.margins[:, :, members[0]]
    shares = 1.0 / (1.0 + np.exp(-song.margins.astype(np.float32)))
    others = [index for index in range(shares.shape[2]) if index not in members]
    inside, outside = (shares[:, :, part].sum(axis=2) + SMALL for part in (list(members), others))
    found: Numbers = (np.log(inside) - np.log(outside)).astype(np.float16)
    return found


def unadapted(song: Cached, members: Sequence[int]) -> float:
    """SI-SDR of the sum of some stems of the network, taken for the wanted stem, in dB."""
    chosen = list(members)
    along, output = song.along[chosen].sum(), song.gram[np.ix_(chosen, chosen)].sum()
    return si_sdr(float(along), float(output), float(song.energy.sum(dtype=np.float64)))


def best_start(songs: Sequence[Cached], stems: int, most: int) -> tuple[int, ...]:
    """The stems, at most so many, whose sum is most like the wanted stem: by mean SI-SDR."""
    sets = [chosen for size in range(1, most + 1) for chosen in combinations(range(stems), size)]
    means = [float(np.mean([unadapted(song, chosen) for song in songs])) for chosen in sets]
    return sets[int(np.argmax(means))]
