"""Two more kinds of backing: electronic music, and released music with added drums and bass."""

from typing import Any

import numpy as np
import numpy.typing as npt

from . import arrangement, desk, low, machine, tunes
from .materials import Excerpt
from .notes import Part
from .playing import play_parts
from .released import beats, chords, excerpt_sound

__all__ = ["play_electronic", "play_joined"]

Signal = npt.NDArray[np.float64]
Played = tuple[dict[str, Signal], list[Any], Any, float]
SAMPLE_RATE = 44100
_SYNTHS = (38, 50, 51, 62, 63, 80, 81, 82, 83, 84, 87, 88, 89, 90, 94, 95, 4, 5, 16, 27)


def play_electronic(song: Any, random: np.random.Generator) -> Played:
    """Play a random song with a drum machine, a synthetic bass and synthesizers."""
    parts, pulse = arrangement.backing(song, random)
    line = next(part for part in parts if part.stem == "bass")
    layers = [
        Part(int(random.choice(_SYNTHS[1:])), part.notes) if random.random() < 0.7 else part
        for part in parts
        if part.stem == "other"
    ]
    hits = machine.programmed(pulse, random)
    stems = play_parts(layers, song.seconds, random)
    stems["drums"] = machine.played(hits, song.seconds, random)
    stems["bass"] = low.played(low.lowered(line.notes, random), song.seconds, random)
    _pumped(stems, machine.kick_times(hits), random)
    tune = arrangement.score.melody(song)
    if random.random() < 0.6:
        tune = tunes.made(parts, pulse, song.singer.lowest, song.singer.highest, random)
    return stems, tune, song.singer, song.seconds


def play_joined(excerpt: Excerpt, random: np.random.Generator) -> Played:
    """Add fitting drums and bass to high-passed released music without drums."""
    sound = excerpt_sound(excerpt)
    seconds = sound.shape[1] / SAMPLE_RATE
    singer = arrangement.any_singer(random)
    pulse, harmony = beats(sound), chords(sound)
    if random.random() < 0.5:
        pulse = pulse[:: int(random.choice([1, 2]))]
    line = arrangement.low_part([harmony], pulse, random)
    hits = machine.programmed(pulse, random)
    by_machine, synthetic = random.random() < 0.5, random.random() < 0.5
    parts = [] if by_machine else [arrangement.drum_part(pulse, random)]
    stems = play_parts(parts if synthetic else [*parts, line], seconds, random)
    if by_machine:
        stems["drums"] = machine.played(hits, seconds, random)
    if synthetic:
        stems["bass"] = low.played(low.lowered(line.notes, random), seconds, random)
    cut = float(random.uniform(120.0, 220.0))
    stems["other"] = np.asarray(desk.effects.high_pass(sound, cut, 4))
    if by_machine and random.random() < 0.3:
        _pumped(stems, machine.kick_times(hits), random)
    tune = tunes.made([harmony], pulse, singer.lowest, singer.highest, random)
    return stems, tune, singer, seconds


def _pumped(stems: dict[str, Signal], kicks: list[float], random: np.random.Generator) -> None:
    """Attenuate bass and other at each kick in some songs, as a side-chained compressor does."""
    if random.random() < 0.4:
        return
    depth, release = float(random.uniform(0.3, 0.95)), float(random.uniform(0.08, 0.3))
    size = stems["bass"].shape[1]
    time = np.arange(round(4 * release * SAMPLE_RATE)) / SAMPLE_RATE
    dip, gain = 1.0 - depth * np.exp(-time / release), np.ones(size)
    for kick in kicks:
        first = max(round(kick * SAMPLE_RATE), 0)
        count = min(dip.size, size - first)
        if count > 0:
            gain[first : first + count] = np.minimum(gain[first : first + count], dip[:count])
    for name in ("bass", "other"):
        stems[name] = stems[name] * gain
