"""From a specification to four stems of 16-bit samples whose sum stays below full scale."""

import numpy as np
import numpy.typing as npt

from .accompaniment import accompany
from .bass import play_bass
from .drums import play_drums
from .score import SongSpec
from .signals import Signal, decibels, fade, level
from .singing import sing

_PEAK = 0.89


def balanced(song: SongSpec) -> dict[str, Signal]:
    """Return the stems as floats, at the song's levels, with the mixture's peak at full scale's 89 %."""
    drums, bass, other = song.levels
    raw = {
        "drums": (play_drums(song), drums),
        "bass": (play_bass(song), bass),
        "other": (accompany(song), other),
        "vocals": (sing(song), 0.0),
    }
    stems = {name: sound * decibels(gain) / level(sound) for name, (sound, gain) in raw.items()}
    stems = {
        name: np.stack([fade(side, 0.005, 0.4) for side in stem]) for name, stem in stems.items()
    }
    mixture = np.sum(list(stems.values()), axis=0)
    peak = max(float(np.max(np.abs(sound))) for sound in (mixture, *stems.values()))
    return {name: sound * (_PEAK / peak) for name, sound in stems.items()}


def render(song: SongSpec) -> dict[str, npt.NDArray[np.int16]]:
    """Return drums, bass, other and vocals, each int16 (2, samples).

    Rounding to 16 bits hides the last bits of floating point, in which
    machines and library versions differ.
    """
    return {
        name: np.round(sound * 32767.0).astype(np.int16) for name, sound in balanced(song).items()
    }
