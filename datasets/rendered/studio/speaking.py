"""Vocals from speech: choice and change of the voice, doubling, second part."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import desk, materials, tunes
from .generator import songmaker
from .lyrics import sentence, speak
from .singing import Timbre, sung
from .speech import Syllable, syllables

__all__ = ["drawn_timbre", "spoken", "spoken_by"]

Signal = npt.NDArray[np.float64]
singing: Any = songmaker("singing")


def spoken(
    split: str, tune: list[Any], singer: Any, seconds: float, random: np.random.Generator
) -> Signal:
    """Return the vocals as a speaker of the split sings them, doubled or in two parts in some songs."""
    voices = materials.speakers(split)
    voice = voices[int(random.integers(len(voices)))]
    timbre = drawn_timbre(voice, singer, random)
    stereo, said = spoken_by(voice, timbre, tune, singer, seconds, random)
    if random.random() < 0.25:
        for side in (-0.8, 0.8):
            again = sung(tune, said, timbre, singer, seconds, random)
            stereo += 0.35 * desk.placed(_recorded(again, singer, random), side)
    if random.random() < 0.3:
        second = tunes.third_above(tune, random)
        if second:
            higher = sung(
                second,
                said,
                replace(timbre, stretch=timbre.stretch * 1.03),
                singer,
                seconds,
                random,
            )
            share = float(random.uniform(0.3, 0.6))
            stereo += share * desk.placed(
                _recorded(higher, singer, random), random.uniform(-0.6, 0.6)
            )
    return stereo


def drawn_timbre(voice: str, singer: Any, random: np.random.Generator) -> Timbre:
    """Return how a speaker's voice is changed for a singer."""
    male = "_m_" in voice
    stretch = float(
        np.clip(singer.tract / (1.0 if male else 1.16) * random.normal(1.0, 0.03), 0.78, 1.28)
    )
    return Timbre(
        stretch,
        float(random.uniform(6000.0, 6800.0)),
        float(random.uniform(5.0, 18.0)),
        float(random.choice([0.0, 0.05, 0.15, 0.3], p=[0.5, 0.25, 0.15, 0.1])),
        float(random.uniform(-1.5, 2.0)),
        float(random.choice([0.0, 0.3, 1.0], p=[0.8, 0.1, 0.1])),
    )


def spoken_by(
    voice: str,
    timbre: Timbre,
    tune: list[Any],
    singer: Any,
    seconds: float,
    random: np.random.Generator,
) -> tuple[Signal, list[Syllable]]:
    """Return a tune as one speaker sings it, one part in stereo (2, samples), and its syllables."""
    said = _words(voice, len(tune), random)
    lead = sung(tune, said, timbre, singer, seconds, random)
    return _recorded(lead, singer, random), said


def _words(voice: str, count: int, random: np.random.Generator) -> list[Syllable]:
    """Return syllables of a voice in runs as they were spoken; a refrain may bring them back."""
    said: list[Syllable] = []
    enough = count if random.random() < 0.6 else max(12, count // 2)
    while len(said) < enough:
        said += _some_speech(voice, random)
    return said


def _some_speech(voice: str, random: np.random.Generator) -> list[Syllable]:
    """Return up to 14 syllables of one recording, or of a sentence made up for a speaking program."""
    if not voice.startswith(("flite", "festival")):
        files = materials.recordings(voice)
        return syllables(files[int(random.integers(len(files)))])[:14]
    with tempfile.TemporaryDirectory(prefix="benchbench-studio-") as scratch:
        path = Path(scratch) / "spoken.wav"
        speak(voice, sentence(random), path)
        return syllables(path)[:14]


def _recorded(take: Signal, singer: Any, random: np.random.Generator) -> Signal:
    """Return a mono take (samples,) in stereo, compressed."""
    take = desk.effects.high_pass(take, 85.0)
    take = desk.effects.levelled(take, float(random.uniform(0.2, 0.7)))
    return np.asarray(
        singing.doubled(take, singer.double * float(random.choice([0.0, 1.0])), random)
    )
