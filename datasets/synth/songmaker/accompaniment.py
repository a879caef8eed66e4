"""The other instruments: guitars, keys and pads, spread left and right around the singer."""

from collections.abc import Callable

import numpy as np

from .effects import band, echo, high_pass, low_pass, reverberated, room
from .score import SongSpec, chord
from .signals import SAMPLE_RATE, Signal, chance, fade, hertz, level, pan, place, seconds_to_samples
from .tones import electric_piano, one_pole, piano, plucked, strings

Layer = Callable[[SongSpec, np.random.Generator], Signal]


def _empty(song: SongSpec) -> Signal:
    return np.zeros((2, seconds_to_samples(song.seconds)))


def strummed_guitar(song: SongSpec, random: np.random.Generator) -> Signal:
    """Return an acoustic guitar, two takes hard left and right, strummed in eighths."""
    track = _empty(song)
    eighth = song.beat / 2.0
    for side in (-0.9, 0.9):
        for bar in range(song.bars):
            first, third, fifth = chord(song, bar)
            low = 40 + (first - 40) % 12
            voicing = (
                low,
                low + 7,
                low + 12,
                low + third - first + 12,
                low + fifth - first + 12,
                low + 24,
            )
            notes = [
                plucked(hertz(pitch), 1.2, random, bright=0.86, position=0.13, decay=2.2)
                for pitch in voicing
            ]
            for slot, gain in ((0, 1.0), (2, 0.7), (3, 0.5), (5, 0.6), (6, 0.8), (7, 0.5)):
                order = notes if slot % 2 == 0 else notes[::-1]
                start = bar * song.bar + slot * eighth + random.normal(0.0, 0.006)
                for index, note in enumerate(order):
                    sound = fade(note[: seconds_to_samples(2.2 * eighth)], 0.001, 0.08)
                    place(
                        track,
                        pan(sound, side),
                        start + 0.009 * index,
                        gain * random.uniform(0.8, 1.0),
                    )
    return high_pass(track, 150.0)


def distorted_guitar(song: SongSpec, random: np.random.Generator) -> Signal:
    """Return power chords through an overdriven amplifier, two takes left and right."""
    sides = []
    eighth = song.beat / 2.0
    for _ in range(2):
        take = np.zeros(seconds_to_samples(song.seconds))
        for bar in range(song.bars):
            low = 40 + (chord(song, bar)[0] - 40) % 12
            for slot, length in ((0, 3.0), (3, 1.0), (4, 2.0), (6, 1.0), (7, 1.0)):
                start = bar * song.bar + slot * eighth + random.normal(0.0, 0.004)
                for pitch in (low, low + 7, low + 12):
                    note = plucked(hertz(pitch), length * eighth, random, bright=0.9, decay=0.7)
                    place(take, fade(note, 0.002, 0.03), start)
        sides.append(
            low_pass(
                np.tanh(6.0 * high_pass(take, 120.0) / (np.max(np.abs(take)) + 1e-9)), 4200.0, 3
            )
        )
    return high_pass(np.stack(sides), 100.0)


def piano_chords(song: SongSpec, random: np.random.Generator) -> Signal:
    """Return a piano: low octaves and chords, low keys to the left and high ones to the right."""
    track = _empty(song)
    for bar in range(song.bars):
        first, third, fifth = chord(song, bar)
        low = 41 + (first - 41) % 12
        for beat in range(4):
            pitches = (low, low + 12, low + 12 + third - first, low + 12 + fifth - first, low + 24)
            for pitch in pitches if beat % 2 == 0 else pitches[2:]:
                sound = fade(piano(hertz(pitch), 1.7 * song.beat, random), 0.001, 0.12)
                placed = pan(sound, np.clip((pitch - 60) / 16.0, -0.8, 0.8))
                place(
                    track,
                    placed,
                    (4 * bar + beat) * song.beat + random.normal(0.0, 0.005),
                    random.uniform(0.6, 1.0),
                )
    return track


def electric_piano_chords(song: SongSpec, random: np.random.Generator) -> Signal:
    """Return an electric piano with chords off the beat and a slow stereo tremolo."""
    track = _empty(song)
    for bar in range(song.bars):
        first, third, fifth = chord(song, bar)
        low = 53 + (first - 53) % 12
        for slot, length in ((0, 3.0), (3, 3.0), (6, 2.0)):
            for pitch in (low, low + third - first, low + fifth - first, low + 12):
                note = fade(electric_piano(hertz(pitch), length * song.beat / 2.0), 0.002, 0.05)
                place(
                    track, note, bar * song.bar + slot * song.beat / 2.0, random.uniform(0.7, 1.0)
                )
    sway = 0.4 * np.sin(2.0 * np.pi * 4.2 * np.arange(track.shape[1]) / SAMPLE_RATE)
    return track * np.stack([1.0 + sway, 1.0 - sway])


def pad(song: SongSpec, random: np.random.Generator) -> Signal:
    """Return held chords of a string machine, wide and soft."""
    track = _empty(song)
    for bar in range(song.bars):
        first, third, fifth = chord(song, bar)
        low = 48 + (first - 48) % 12
        for pitch in (low, low + third - first, low + fifth - first, low + 12):
            for side in (-1.0, 1.0):
                note = strings(hertz(pitch), song.bar + 0.25, random, cutoff=1300.0)
                place(track, pan(fade(note, 0.18, 0.25), side), bar * song.bar)
    return track


def arpeggio(song: SongSpec, random: np.random.Generator) -> Signal:
    """Return a plucked synthesiser that runs through the chord in sixteenths, with echoes from side to side."""
    track = _empty(song)
    step = song.beat / 4.0
    for bar in range(song.bars):
        first, third, fifth = chord(song, bar)
        low = 60 + (first - 60) % 12
        run = (low, low + third - first, low + fifth - first, low + 12)
        notes = [
            one_pole(plucked(hertz(p), 0.3, random, bright=0.88, position=0.5, decay=9.0), 4500.0)
            for p in run
        ]
        for index in range(16):
            place(
                track,
                pan(fade(notes[(0, 2, 1, 3)[index % 4]], 0.001, 0.05), 0.7 if index % 2 else -0.7),
                bar * song.bar + index * step,
                random.uniform(0.7, 1.0),
            )
    return echo(track, 0.75 * song.beat, 0.35)


def muted_guitar(song: SongSpec, random: np.random.Generator) -> Signal:
    """Return a funk guitar: short chords on the sixteenths, to the right."""
    track = _empty(song)
    step = song.beat / 4.0
    for bar in range(song.bars):
        first, third, fifth = chord(song, bar)
        low = 57 + (first - 57) % 12
        notes = [
            plucked(hertz(p), 0.16, random, bright=0.9, position=0.1, decay=9.0)
            for p in (low, low + third - first, low + fifth - first)
        ]
        sound = fade(np.sum(notes, axis=0), 0.001, 0.06)
        for index, stroke in enumerate("x..xx.x...x.x.xx"):
            if stroke == "x":
                place(
                    track, pan(sound, 0.75), bar * song.bar + index * step, random.uniform(0.5, 1.0)
                )
    return band(track, 300.0, 6000.0)


LAYERS: dict[str, Layer] = {
    "arpeggio": arpeggio,
    "distorted guitar": distorted_guitar,
    "electric piano": electric_piano_chords,
    "muted guitar": muted_guitar,
    "pad": pad,
    "piano": piano_chords,
    "strummed guitar": strummed_guitar,
}


def accompany(song: SongSpec) -> Signal:
    """Return all other instruments of a song, stereo (2, samples); earlier layers are louder."""
    random = chance(song.seed, "other")
    track = _empty(song)
    for index, name in enumerate(song.layers):
        layer = LAYERS[name](song, random)
        track += layer / (level(layer) + 1e-9) * 0.6**index
    return reverberated(track, room(0.8, random), 0.08)
