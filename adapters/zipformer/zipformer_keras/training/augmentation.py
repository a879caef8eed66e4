"""Training excerpts: stems of different songs, varied and mixed on the fly.

Each draw depends only on the seed and the number of the step, so that a run that is continued gets
the same excerpts as one that was not stopped.

Of some songs only the vocals and the accompaniment are known. For these, only the vocals enter the
loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from ..spectrum import Samples
from . import effects
from .variation import Variation

Song = Callable[[], Mapping[str, npt.NDArray[Any]]]
"""Gives a song's stems at 44.1 kHz, (channels, samples) of one length, float32 or int16.

It is called for each excerpt, and only the excerpt is read; memory maps are
best."""

RATE = 44_100
VOCALS, ACCOMPANIMENT, REST = "vocals", "accompaniment", "other"
DRUMS, BASS, MIXTURE = "drums", "bass", "mixture"


TRIES = 4


@dataclass(frozen=True, slots=True)
class Library:
    """Songs by what is known of them.

    Parameters
    ----------
    whole
        Songs with every stem that is wanted.
    backed
        Songs with vocals and an accompaniment.
    """

    whole: tuple[Song, ...]
    backed: tuple[Song, ...] = ()

    @classmethod
    def of(cls, songs: Sequence[Song], stems: Sequence[str]) -> Library:
        """Sort songs by their stems; each is opened once.

        Raises
        ------
        ValueError
            A song has neither the stems nor vocals and accompaniment, or no song has the stems.
        """
        whole, backed = [], []
        for song in songs:
            names = set(song())
            missing = [stem for stem in stems if stem not in names]
            if not missing:
                whole.append(song)
            elif {VOCALS, ACCOMPANIMENT} <= names and {VOCALS, REST} <= set(stems):
                backed.append(song)
            else:
                raise ValueError(
                    f"A song lacks {', '.join(missing)}; it has {', '.join(names) or 'none'}."
                )
        if not whole:
            raise ValueError(f"No song has all of {', '.join(stems)}.")
        return cls(tuple(whole), tuple(backed))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Stems that are mixed.

    Parameters
    ----------
    samples
        float32 (stems, 2, samples); their sum is the mixture.
    known
        float32 (stems,): 1 where a stem is what its name says, 0 where it is not: of an
        accompaniment, which stands in place of all other stems.
    """

    samples: Samples
    known: npt.NDArray[np.float32]


def draw_excerpt(
    library: Library,
    stems: Sequence[str],
    length: int,
    variation: Variation,
    rng: np.random.Generator,
) -> Excerpt:
    """One excerpt.

    Parameters
    ----------
    library
        The songs.
    stems
        Names of the stems that are wanted.
    length
        Samples.
    variation
        How it is varied; the filters are applied later, see `tones`.
    rng
        Source of all randomness.
    """
    backing = bool(library.backed) and rng.random() < variation.backing
    names = (VOCALS, ACCOMPANIMENT) if backing else tuple(stems)
    leading = library.backed if backing else library.whole
    sources = dict.fromkeys(names, leading)
    if backing:
        sources[VOCALS] = library.whole + library.backed
    samples = np.zeros((len(stems), 2, length), np.float32)
    together = rng.random() >= variation.remix
    aligned = (leading[int(rng.integers(len(leading)))](), rng.random())
    level = -variation.level_db * rng.random()
    absent = _absent(variation, rng)
    for name in names:
        place = aligned if together else None
        index = list(stems).index(REST if name == ACCOMPANIMENT else name)
        window = _varied(sources[name], name, length, place, variation, rng)
        gain = 10.0 ** ((level + variation.gain_db * rng.uniform(-1.0, 1.0)) / 20.0)
        if rng.random() < variation.invert:
            gain = -gain
        if rng.random() < variation.swap:
            window = window[::-1]
        if rng.random() >= variation.silence and name not in absent:
            samples[index, :, : window.shape[1]] = window * np.float32(gain)
    _produced(samples, names, stems, variation, rng)
    known = np.array([not backing or name == VOCALS for name in stems], np.float32)
    return Excerpt(samples, known)


def _absent(variation: Variation, rng: np.random.Generator) -> tuple[str, ...]:
    """Stems that an excerpt goes without."""
    if not _happens(variation.sparse, rng):
        return ()
    return ((DRUMS,), (BASS,), (DRUMS, BASS))[int(rng.integers(3))]


def _produced(
    samples: Samples,
    names: Sequence[str],
    stems: Sequence[str],
    variation: Variation,
    rng: np.random.Generator,
) -> None:
    """Duck stems under the drums and master the mixture, in place."""
    if DRUMS in names and _happens(variation.duck, rng):
        gain = effects.ducking(samples[list(stems).index(DRUMS)], rng)
        for name in {BASS, REST} & set(names):
            samples[list(stems).index(name)] *= gain
    if _happens(variation.master, rng):
        samples *= effects.mastering(samples.sum(axis=0), rng)


def _happens(share: float, rng: np.random.Generator) -> bool:
    """A random decision with this probability; with a share of 0, no random number is drawn."""
    return share > 0.0 and rng.random() < share


def _varied(
    songs: Sequence[Song],
    name: str,
    length: int,
    place: tuple[Mapping[str, npt.NDArray[Any]], float] | None,
    variation: Variation,
    rng: np.random.Generator,
) -> Samples:
    """A window of a stem with random changes of speed, number of voices and sound."""
    faster = rng.random() < variation.speed_share
    speed = 1.0 + variation.speed * rng.uniform(-1.0, 1.0) if faster else 1.0
    if name == BASS and _happens(variation.deep, rng):
        speed = 2.0 ** -rng.random()
    longer = int(np.ceil(length * speed))
    window = _heard(songs, name, longer, place, rng)
    if rng.random() < variation.double:
        window = window + _heard(songs, name, longer, None, rng)
    if speed != 1.0:
        window = soxr.resample(window.T, speed, 1.0, quality="LQ").T[:, :length]
    if rng.random() < variation.drive:
        window = effects.driven(window, rng.uniform(1.0, 6.0))
    if name == VOCALS and _happens(variation.thick, rng):
        window = effects.thickened(window, rng)
    if name != BASS and _happens(variation.room, rng):
        window = effects.roomy(window, rng)
    if name != BASS and _happens(variation.wide, rng):
        window = effects.widened(window, rng)
    return window


def _heard(
    songs: Sequence[Song],
    name: str,
    length: int,
    place: tuple[Mapping[str, npt.NDArray[Any]], float] | None,
    rng: np.random.Generator,
) -> Samples:
    """A window of a stem at a given place, or at a random place that is not silent."""
    if place is not None:
        return stereo_window(place[0][name], place[1], length)
    for _ in range(TRIES):
        song = songs[int(rng.integers(len(songs)))]()
        window = stereo_window(song[name], rng.random(), length)
        if np.abs(window[:, ::64]).max(initial=0.0) > effects.QUIET:
            break
    return window


def stereo_window(samples: npt.NDArray[Any], place: float, length: int) -> Samples:
    """A window at a relative place (0 to 1), padded with silence where the song ends.

    Parameters
    ----------
    samples
        float32 or int16 (channels, samples); one channel is doubled, the third and later are left out.
    place
        0 for the first window, 1 for the last.
    length
        Samples.

    Returns
    -------
    numpy.ndarray
        float32 (2, length), 1 at full scale.
    """
    start = int(place * (max(samples.shape[1] - length, 0) + 1))
    window = samples[:2, start : start + length].astype(np.float32)
    if samples.dtype == np.int16:
        window *= np.float32(1 / 32768)
    if window.shape[0] == 1:
        window = np.concatenate([window, window])
    if window.shape[1] < length:
        window = np.pad(window, ((0, 0), (0, length - window.shape[1])))
    return window
