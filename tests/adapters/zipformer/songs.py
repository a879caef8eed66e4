"""Songs that the tests of training learn from: four stems, each in a region of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from zipformer_keras.configuration import Configuration, bin_count
from zipformer_keras.training.augmentation import Library

RATE = 44_100
STEMS = ("vocals", "drums", "bass", "other")


def song(seed: int, seconds: float = 2.0) -> Callable[[], dict[str, np.ndarray]]:
    """Four stems in regions of their own, with a beat."""
    rng = np.random.default_rng(seed)
    length = int(seconds * RATE)
    time = np.arange(length) / RATE
    stems = {}
    for number, stem in enumerate(STEMS):
        pitch = rng.uniform(0.9, 1.1) * (1500, 6000, 90, 500)[number]
        beat = 0.6 + 0.4 * np.sin(2 * np.pi * (number + 1.5) * time)
        wave = beat * np.sin(2 * np.pi * pitch * time + rng.uniform(0, 6)) / 5
        stems[stem] = np.stack([wave, wave * rng.uniform(0.5, 1.0)]).astype(np.float32)
    return lambda: stems


SONGS = [song(seed) for seed in range(4)]
LIBRARY = Library.of(SONGS, STEMS)


def backed() -> dict[str, np.ndarray]:
    """A song of which vocals and accompaniment alone are known."""
    stems = song(9)()
    rest = [sound for name, sound in stems.items() if name != "vocals"]
    return {"vocals": stems["vocals"], "accompaniment": np.sum(rest, axis=0)}


def flat(c: Configuration) -> np.ndarray:
    """Gains that change nothing."""
    return np.ones((len(c.stems), bin_count(c.groups)), np.float32)
