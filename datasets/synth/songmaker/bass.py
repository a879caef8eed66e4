"""The bass: roots and fifths below the chords, plucked, picked hard or from a synthesiser."""

import numpy as np

from .effects import levelled, low_pass
from .score import SongSpec, chord
from .signals import Signal, chance, fade, hertz, pan, place, seconds_to_samples
from .tones import plucked, strings

PATTERNS = {
    "eighths": ((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 1)),
    "roots": ((0, 0), (3, 0), (4, 1), (6, 0)),
    "long": ((0, 0), (6, 1)),
    "funk": ((0, 0), (1.5, 0), (3, 2), (4, 0), (5.5, 1), (7, 2)),
}
"""(eighth of the bar, 0 root / 1 fifth / 2 octave)."""


def play_bass(song: SongSpec) -> Signal:
    """Return the bass of a song, stereo (2, samples) with the same signal on both sides."""
    random = chance(song.seed, "bass")
    kind, _, sound = song.bass.partition("/")
    track = np.zeros(seconds_to_samples(song.seconds))
    pattern = PATTERNS[kind]
    eighth = song.beat / 2.0
    for bar in range(song.bars):
        root = chord(song, bar)[0]
        low = 28 + (root - 28) % 12
        starts = [slot for slot, _ in pattern] + [8]
        for index, (slot, step) in enumerate(pattern):
            seconds = (starts[index + 1] - slot) * eighth * 0.95
            frequency = hertz(low + (0, 7, 12)[step])
            if sound == "synth":
                note = strings(frequency, seconds, random, cutoff=500.0)
            else:
                note = plucked(
                    frequency,
                    seconds,
                    random,
                    bright=0.9 if sound == "pick" else 0.75,
                    position=0.22,
                    decay=0.9,
                )
            place(
                track,
                fade(note, 0.004, 0.03),
                bar * song.bar + slot * eighth,
                random.uniform(0.85, 1.0),
            )
    drive = np.tanh(1.4 * track / (np.max(np.abs(track)) + 1e-9))
    return pan(low_pass(levelled(drive, 0.4), 2500.0 if sound == "pick" else 1200.0), 0.0)
