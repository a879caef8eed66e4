"""Play an excerpt or an arrangement: choose instruments, soundfonts and effects."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import arrangement, desk, materials, midi, tunes
from .band import on_recorded_kit, play
from .notes import DRUM_PROGRAM, Part

__all__ = ["play_arranged", "play_parts", "play_written"]

Signal = npt.NDArray[np.float64]
Played = tuple[dict[str, Signal], list[Any], Any, float]
"""Stems without the vocals, the tune to sing, who sings it, seconds."""

SAMPLE_RATE = 44100

_VOICES = (52, 53, 54, 85, 91)
"""General MIDI programs that imitate voices: they would be neither `other` nor `vocals`."""


def play_arranged(song: Any, random: np.random.Generator) -> Played:
    """Play a random song through soundfonts."""
    parts, beats = arrangement.backing(song, random)
    tune = arrangement.score.melody(song)
    if random.random() < 0.6:
        tune = tunes.made(parts, beats, song.singer.lowest, song.singer.highest, random)
    return play_parts(parts, song.seconds, random), tune, song.singer, song.seconds


def play_written(split: str, seconds: float, random: np.random.Generator) -> Played:
    """Play an excerpt of a MIDI file of a split."""
    parts, beats, seconds = _written(split, seconds, random)
    singer = arrangement.any_singer(random)
    tune, parts = _tune_over(parts, beats, singer, seconds, random)
    return play_parts(parts, seconds, random), tune, singer, seconds


def _written(
    split: str, seconds: float, random: np.random.Generator
) -> tuple[list[Part], list[float], float]:
    """Return an excerpt of a MIDI file that is not silent."""
    choice = materials.pieces(split)
    while True:
        whole = midi.read_score(choice[int(random.integers(len(choice)))])
        pace = float(np.exp(random.uniform(np.log(0.85), np.log(1.18))))
        lift = int(random.integers(-5, 6))
        if whole.seconds < 15.0:
            continue
        length = min(seconds, whole.seconds / pace)
        for _ in range(6):
            latest = max(whole.seconds - length * pace, 0.0)
            starts = [b for b in whole.beats if b <= latest] or [0.0]
            start = starts[int(random.integers(len(starts)))]
            cut = midi.excerpt(whole, start, length, pace, lift)
            others = [p for p in cut.parts if p.stem == "other"]
            if sum(len(p.notes) for p in others) > 1.5 * length and len(cut.beats) > 16:
                return _completed(cut, random), list(cut.beats), length


def _completed(cut: midi.Excerpt, random: np.random.Generator) -> list[Part]:
    """Add drums and bass if an excerpt lacks them, and exchange some instruments."""
    parts = [_replayed(part, random) for part in cut.parts if part.stem != ""]
    if _count(parts, "drums") < 0.8 * cut.seconds:
        parts = [part for part in parts if part.stem != "drums"]
        parts.append(arrangement.drum_part(cut.beats, random))
    if _count(parts, "bass") < 0.4 * cut.seconds:
        parts = [part for part in parts if part.stem != "bass"]
        parts.append(arrangement.low_part(parts, cut.beats, random))
    return parts


def _replayed(part: Part, random: np.random.Generator) -> Part:
    """The part, possibly on another instrument than written; imitated voices are replaced."""
    program = part.program
    if program in _VOICES:
        program = int(random.choice([48, 49, 50, 89, 16, 4]))
    elif part.stem == "bass" and random.random() < 0.4:
        program = int(random.integers(32, 40))
    elif part.stem == "other" and random.random() < 0.4:
        program = _another_instrument(program, random)
    if part.stem == "drums" and program < 0:
        return part
    return replace(part, program=program)


def _another_instrument(program: int, random: np.random.Generator) -> int:
    """One of the same family of General MIDI, or a common one."""
    if random.random() < 0.6:
        chosen = 8 * (program // 8) + int(random.integers(0, 8))
    else:
        chosen = int(random.choice([0, 4, 16, 24, 25, 27, 28, 29, 30, 48, 61, 62, 80, 81, 88]))
    return 48 if chosen in _VOICES else chosen


def _count(parts: list[Part], stem: str) -> int:
    """How many notes the parts of a stem have together."""
    return sum(len(part.notes) for part in parts if part.stem == stem)


def _tune_over(
    parts: list[Part], beats: list[float], singer: Any, seconds: float, random: np.random.Generator
) -> tuple[list[Any], list[Part]]:
    """Return a tune and the parts that remain: a lead that is sung is seldom played as well."""
    lead = tunes.find_lead(parts, seconds)
    if lead is not None and random.random() < 0.6:
        tune = tunes.from_lead(lead, singer.lowest, singer.highest, random)
        if sum(n.end - n.start for n in tune) > 0.45 * seconds:
            rest = [p for p in parts if p is not lead]
            if random.random() < 0.8 and any(p.stem == "other" for p in rest):
                parts = rest
            return tune, parts
    return tunes.made(parts, beats, singer.lowest, singer.highest, random), parts


def play_parts(parts: list[Part], seconds: float, random: np.random.Generator) -> dict[str, Signal]:
    """Return drums, bass and other as soundfonts play them, each player with a sound of their own."""
    fonts = materials.soundfonts()
    stems = {
        name: np.zeros((2, round(seconds * SAMPLE_RATE))) for name in ("drums", "bass", "other")
    }
    weights = np.array([0.45, 0.4, 0.15])
    house = fonts[int(random.choice(len(fonts), p=weights))]
    hired: dict[Path, list[Part]] = {}
    for part in parts:
        font = house if random.random() < 0.6 else fonts[int(random.choice(len(fonts), p=weights))]
        if part.program == DRUM_PROGRAM:
            part = replace(part, kit=int(random.choice([0, 0, 0, 8, 16, 24, 25, 32, 40])))
            if random.random() < 0.45:
                kits = materials.drum_kits()
                font, part = kits[int(random.integers(len(kits)))], on_recorded_kit(part)
        hired.setdefault(font, []).append(part)
    takes = [
        pair
        for font, players in hired.items()
        for pair in zip(players, play(players, font, seconds), strict=True)
    ]
    for part, sound in takes:
        level = desk.loudness(sound)
        if level < 1e-6:
            continue
        if part.stem == "other":
            sound = _player(part, sound, random)
            # Half the level that the score asks for, half of what makes players equal.
            sound = sound / np.sqrt(level) * 10.0 ** (random.normal(0.0, 2.5) / 20.0)
        elif part.stem == "bass":
            sound = sound.mean(axis=0) * np.ones((2, 1))
        stems[part.stem] += sound
    return stems


def _player(part: Part, sound: Signal, random: np.random.Generator) -> Signal:
    """Apply panning and tone to one instrument, and an amplifier to some guitars."""
    if 26 <= part.program <= 31 and random.random() < 0.6:
        sound = desk.driven(sound, float(np.exp(random.uniform(np.log(1.0), np.log(12.0)))))
        sound = desk.effects.low_pass(sound, random.uniform(3500.0, 8000.0))
    if random.random() < 0.4:
        sound = desk.coloured(sound, random, 3.0)
    if random.random() < 0.25:
        delay = round(random.uniform(0.008, 0.025) * SAMPLE_RATE)
        mono = sound.mean(axis=0)
        sound = np.stack([mono, np.concatenate([np.zeros(delay), mono[:-delay]])])
    return desk.placed(sound, float(np.clip(random.normal(0.0, 0.4), -0.9, 0.9)))
