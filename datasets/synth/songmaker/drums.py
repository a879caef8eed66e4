"""The drum kit: each drum is rendered once per song and placed by the pattern."""

import numpy as np

from .effects import band, high_pass, reverberated, room, saturate
from .score import BEATS, SongSpec
from .signals import SAMPLE_RATE, Signal, chance, pan, place, seconds_to_samples

PATTERNS = {
    "rock": {"kick": "x.....x.x.......", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
    "pop": {"kick": "x...x...x...x...", "snare": "....x.......x...", "hat": "..x...x...x...x."},
    "ballad": {"kick": "x.........x.....", "snare": "........x.......", "hat": "x...x...x...x..."},
    "funk": {"kick": "x..x..x...x..x..", "snare": "....x..x.x..x...", "hat": "xxxxxxxxxxxxxxxx"},
    "hiphop": {"kick": "x..x......xx....", "snare": "....x.......x...", "hat": "x.x.x.xxx.x.x.x."},
    "folk": {"kick": "x.......x.......", "snare": "....x.......x...", "hat": "..x...x...x...x."},
}
"""Sixteen steps per bar; x is a stroke."""


def _clock(seconds: float) -> Signal:
    return np.arange(seconds_to_samples(seconds)) / SAMPLE_RATE


def kick(random: np.random.Generator, tune: float) -> Signal:
    """Return a bass drum: a membrane whose pitch falls, and the beater's click."""
    clock = _clock(0.35)
    sweep = tune * (clock + 3.2 * 0.025 * (1.0 - np.exp(-clock / 0.025)))
    body = np.sin(2.0 * np.pi * sweep) * np.exp(-clock / 0.11)
    click = high_pass(random.standard_normal(clock.size), 2000.0) * np.exp(-clock / 0.004)
    return np.asarray(np.tanh(1.8 * body) + 0.25 * click)


def snare(random: np.random.Generator, tune: float) -> Signal:
    """Return a snare drum: two modes of the head and the wires' noise."""
    clock = _clock(0.3)
    head = sum(np.sin(2.0 * np.pi * f * clock) * np.exp(-clock / 0.06) for f in (tune, 1.72 * tune))
    wires = band(random.standard_normal(clock.size), 1200.0, 9000.0) * np.exp(-clock / 0.075)
    return np.asarray(np.tanh(0.6 * head + 1.8 * wires))


def hat(random: np.random.Generator, seconds: float) -> Signal:
    """Return a hi-hat: beating metal plates, high-passed; long when open."""
    clock = _clock(4.0 * seconds)
    metal = sum(
        np.sign(np.sin(2.0 * np.pi * f * clock)) for f in (2051.0, 3037.0, 3691.0, 5227.0, 6143.0)
    )
    return np.asarray(
        high_pass(0.4 * metal + random.standard_normal(clock.size), 7000.0, 4)
        * np.exp(-clock / seconds)
    )


def crash(random: np.random.Generator) -> Signal:
    """Return a crash cymbal."""
    clock = _clock(1.6)
    return np.asarray(high_pass(random.standard_normal(clock.size), 3000.0) * np.exp(-clock / 0.45))


def play_drums(song: SongSpec) -> Signal:
    """Return the drums of a song, stereo (2, samples): hats to one side, a little room, gentle saturation."""
    random = chance(song.seed, "drums")
    kit = {
        "kick": (pan(kick(random, 48.0 + 3.0 * random.random()), 0.0), 1.0),
        "snare": (pan(snare(random, 175.0 + 40.0 * random.random()), 0.08), 0.75),
        "hat": (pan(hat(random, 0.035), 0.35), 0.22),
    }
    track = np.zeros((2, seconds_to_samples(song.seconds)))
    step = song.beat / 4.0
    for bar in range(song.bars):
        start = bar * song.bar
        for drum, strokes in PATTERNS[song.drums].items():
            sound, gain = kit[drum]
            for index, stroke in enumerate(strokes):
                if stroke == "x":
                    accent = (1.0 if index % 4 == 0 or drum != "hat" else 0.7) * random.uniform(
                        0.85, 1.0
                    )
                    place(
                        track,
                        sound,
                        start + index * step + random.normal(0.0, 0.003),
                        gain * accent,
                    )
        if bar % 4 == 3:
            for index in range(BEATS):
                place(track, kit["snare"][0], start + (12 + index) * step, 0.35 + 0.1 * index)
        if bar % 4 == 0:
            place(track, pan(crash(random), -0.3), start, 0.22)
    return saturate(reverberated(track, room(0.35, random, 9000.0), 0.10), 0.35)
