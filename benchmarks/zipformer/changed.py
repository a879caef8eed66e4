"""Test songs made unlike those of training: slower, with lower basses, without drums, mastered.

Twelve seconds of ten songs with four stems, each changed in the same way; the changed stems still add
up to the changed mixture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import soxr
from zipformer_keras.training import effects

from benchmarks.zipformer.common import RATE, Stems, songs

SECONDS, SONGS, EVERY = 12, 20, 2
SLOWER, LOWER = 0.72, 0.6
"""What pitch and tempo are multiplied by: 0.47 and 0.74 octaves lower."""

Change = Callable[[Stems], Stems]


def slower(stems: Stems) -> Stems:
    """The whole song lower and slower."""
    return {name: _resampled(audio, SLOWER) for name, audio in stems.items()}


def low_bass(stems: Stems) -> Stems:
    """The bass lower (and slower) than the rest."""
    length = stems["bass"].shape[1]
    return {**stems, "bass": _resampled(stems["bass"], LOWER)[:, :length]}


def without_drums(stems: Stems) -> Stems:
    """No drums."""
    return {name: audio for name, audio in stems.items() if name != "drums"}


def mastered(stems: Stems) -> Stems:
    """Compressed and limited: every stem with the gains that the mixture gets."""
    mixture = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    gain = effects.mastering(mixture, np.random.default_rng(1))
    return {name: audio * gain for name, audio in stems.items()}


CHANGES: Mapping[str, Change] = {
    "lower basses": low_bass,
    "lower and slower": slower,
    "without drums": without_drums,
    "compressed and limited": mastered,
}


def changed_sets(folder: Path) -> dict[str, Callable[[], Iterator[tuple[str, Stems]]]]:
    """For every change, a function that yields the changed songs of a folder."""
    return {name: partial(_changed, folder, change) for name, change in CHANGES.items()}


def _changed(folder: Path, change: Change) -> Iterator[tuple[str, Stems]]:
    for name, stems in islice(songs(folder), 0, SONGS, EVERY):
        yield name, change({stem: audio[:, : SECONDS * RATE] for stem, audio in stems.items()})


def _resampled(audio: np.ndarray, speed: float) -> np.ndarray:
    return np.ascontiguousarray(soxr.resample(audio.T, speed, 1.0).T)
