"""From notes with syllables to a singer's control curves: start and glide of each sound.

Consonants come before the beat, so that the vowel falls on it, as singers do;
formants never jump but run into one another (coarticulation).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .phonemes import PHONEMES, Phoneme, spell
from .score import Note, Singer
from .signals import SAMPLE_RATE, Signal
from .vocal_tract import HOP

FRAME = HOP / SAMPLE_RATE
_REST = (500.0, 1450.0, 2500.0)
_UPPER = (3400.0, 4450.0)


@dataclass(frozen=True, slots=True)
class Sound:
    """One phoneme in time (seconds), with the vowel of its syllable and whether the line ends here."""

    phoneme: Phoneme
    vowel: Phoneme
    start: float
    end: float
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Gestures:
    """The singer's control curves, one value per frame of HOP samples.

    `formants` is (frames, 5) in Hz; `pitch` in Hz; `voice` and `breath` are
    amplitudes; `sounds` are kept for the hiss of consonants.
    """

    formants: Signal
    pitch: Signal
    voice: Signal
    breath: Signal
    sounds: tuple[Sound, ...]


def speak(notes: list[Note]) -> list[Sound]:
    """Lay the phonemes of all notes out in time."""
    spelled = [spell(note.syllable) for note in notes]
    length = [
        (sum(PHONEMES[s].seconds for s in onset), sum(PHONEMES[s].seconds for s in coda))
        for onset, _, coda in spelled
    ]
    sounds: list[Sound] = []
    for index, (note, (onset, middle, coda)) in enumerate(zip(notes, spelled, strict=True)):
        following = index + 1 < len(notes) and not notes[index + 1].opens
        borrowed = length[index + 1][0] if following else 0.0
        whole = note.end - note.start
        squeeze = min(1.0, 0.5 * whole / max(length[index][1] + borrowed, 1e-3))
        vowel_end = note.end - squeeze * (length[index][1] + borrowed)
        before = length[index][0]
        if not note.opens:
            before = min(before, note.start - sounds[-1].end)
        clock = note.start - before
        shrink = before / length[index][0] if length[index][0] else 0.0
        vowel = PHONEMES[middle]
        for name in onset:
            end = clock + shrink * PHONEMES[name].seconds
            sounds.append(Sound(PHONEMES[name], vowel, clock, end))
            clock = end
        sounds.append(Sound(vowel, vowel, note.start, vowel_end, not following))
        clock = vowel_end
        for name in coda:
            end = clock + squeeze * PHONEMES[name].seconds
            sounds.append(Sound(PHONEMES[name], vowel, clock, end))
            clock = end
    return sounds


def _place(sounds: list[Sound], frames: int, singer: Singer, random: np.random.Generator) -> Signal:
    """Return formants (frames, 5): targets of each sound, gliding from one to the next, never quite still."""
    track = np.tile(np.array(_REST), (frames, 1))
    previous = 0
    for sound in sounds:
        first, last = (
            int(sound.start / FRAME),
            max(int(sound.end / FRAME), int(sound.start / FRAME) + 1),
        )
        shape = sound.vowel if sound.phoneme.breath else sound.phoneme
        start = np.array(shape.formants)
        target = start if shape.glide is None else np.array(shape.glide)
        way = np.clip((np.linspace(0.0, 1.0, last - first) - 0.35) / 0.55, 0.0, 1.0)[:, np.newaxis]
        if first > previous:
            track[previous:first] = track[max(previous - 1, 0)]
        track[first:last] = ((1.0 - way) * start + way * target)[: max(frames - first, 0)]
        previous = last
    upper = np.tile(np.array(_UPPER), (frames, 1))
    smooth = gaussian_filter1d(np.concatenate([track, upper], axis=1), 0.016 / FRAME, axis=0)
    wander = gaussian_filter1d(random.standard_normal(smooth.shape), 0.08 / FRAME, axis=0)
    return np.asarray(smooth * singer.tract * (1.0 + 0.1 * wander))


def _amplitudes(
    sounds: list[Sound], frames: int, singer: Singer, random: np.random.Generator
) -> tuple[Signal, Signal]:
    """Return the levels of voice and breath: vowels swell and fade, consonants close the mouth."""
    voice, breath = np.zeros(frames), np.zeros(frames)
    for sound in sounds:
        first, last = int(sound.start / FRAME), int(sound.end / FRAME)
        count = min(last, frames) - first
        if count <= 0:
            continue
        swell = np.ones(count)
        if sound.phoneme.is_vowel:
            swell = (0.85 + 0.25 * np.sin(np.linspace(0.3, 2.9, count))) * random.uniform(0.85, 1.1)
            breath[first : first + count] = singer.breath
            if sound.closes:
                swell *= np.minimum(1.0, np.linspace(count * FRAME / 0.14, 0.05, count))
        voice[first : first + count] = sound.phoneme.voice * swell
        if sound.phoneme.breath:
            breath[first : first + count] = sound.phoneme.breath
        if sound.phoneme.burst and sound.phoneme.voice <= 0.1:
            breath[first + count : first + count + 5] = 0.2
    return (
        np.asarray(gaussian_filter1d(voice, 0.009 / FRAME)),
        np.asarray(gaussian_filter1d(breath, 0.009 / FRAME)),
    )


def _inhale(breath: Signal, notes: list[Note], random: np.random.Generator) -> None:
    """Let the singer draw breath, in place, before each line."""
    for note in notes:
        if note.opens:
            last = int((note.start - 0.16) / FRAME)
            first = last - int(random.uniform(0.22, 0.34) / FRAME)
            if first > 0:
                rise = np.linspace(0.0, 1.0, last - first)
                breath[first:last] += 0.10 * rise**1.5 * np.minimum(1.0, 8.0 * (1.0 - rise))


def _intonation(
    notes: list[Note], frames: int, singer: Singer, random: np.random.Generator
) -> Signal:
    """Return the pitch (frames,) in Hz: slides between notes, scoops into lines, late vibrato, drift."""
    clock = np.arange(frames) * FRAME
    semitones = np.full(frames, float(notes[0].pitch))
    bend, depth = np.zeros(frames), np.zeros(frames)
    for note in notes:
        since = clock - note.start
        semitones[since > -0.035] = note.pitch
        if note.opens or random.random() < 0.25:
            bend -= np.where(
                since > -0.2, random.uniform(0.8, 1.8) * np.exp(-np.abs(since + 0.03) / 0.055), 0.0
            )
        held = note.end - note.start
        if held > 0.38:
            onset = np.clip((since - 0.22) / 0.25, 0.0, 1.0) * (clock < note.end)
            depth = np.maximum(depth, onset * singer.vibrato / 100.0 * random.uniform(0.8, 1.2))
    slides = gaussian_filter1d(semitones, 0.026 / FRAME)
    rate = 5.6 + 3.0 * gaussian_filter1d(random.standard_normal(frames), 0.3 / FRAME)
    vibrato = gaussian_filter1d(depth, 0.03 / FRAME) * np.sin(2.0 * np.pi * np.cumsum(rate) * FRAME)
    drift = 0.324 * gaussian_filter1d(random.standard_normal(frames), 0.06 / FRAME)
    total = slides + gaussian_filter1d(bend, 0.012 / FRAME) + vibrato + drift
    return np.asarray(440.0 * 2.0 ** ((total - 69.0) / 12.0))


def perform(
    notes: list[Note], seconds: float, singer: Singer, random: np.random.Generator
) -> Gestures:
    """Turn the tune into a singer's movements over `seconds`."""
    frames = int(np.ceil(seconds / FRAME)) + 1
    # Consonants come before their note; of the first note they may lie before the beginning.
    sounds = [replace(s, start=max(s.start, 0.0)) for s in speak(notes) if s.end > 0.0]
    formants = _place(sounds, frames, singer, random)
    voice, breath = _amplitudes(sounds, frames, singer, random)
    _inhale(breath, notes, random)
    pitch = _intonation(notes, frames, singer, random)
    formants[:, 0] = np.maximum(formants[:, 0], 1.03 * pitch)
    return Gestures(formants, pitch, voice, breath, tuple(sounds))
