"""Tunes to sing: taken from a lead instrument, or composed to fit the notes of a band."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .generator import songmaker
from .notes import Part, Struck

__all__ = ["find_lead", "from_lead", "made", "third_above", "words"]

score: Any = songmaker("score")

ONSETS = (
    "",
    "B",
    "D",
    "DH",
    "F",
    "G",
    "HH",
    "K",
    "L",
    "M",
    "N",
    "P",
    "R",
    "S",
    "SH",
    "T",
    "V",
    "W",
    "Y",
    "Z",
    "CH",
    "S.T",
    "T.R",
    "P.L",
    "K.R",
    "G.L",
    "S.P",
    "F.R",
    "B.L",
)
VOWELS = ("AA", "AE", "AH", "AO", "EH", "ER", "IH", "IY", "UH", "UW", "AY", "AW", "EY", "OW", "OY")
CODAS = ("", "", "", "M", "N", "NG", "L", "R", "S", "T", "D", "K", "Z", "N.D", "S.T", "V")


def words(count: int, random: np.random.Generator) -> list[str]:
    """Return so many syllables of no language; some come back, as in a refrain."""
    made_up = [
        ".".join(
            p for p in (random.choice(ONSETS), random.choice(VOWELS), random.choice(CODAS)) if p
        )
        for _ in range(max(4, count // 2))
    ]
    return [made_up[int(random.integers(len(made_up)))] for _ in range(count)]


def find_lead(parts: Sequence[Part], seconds: float) -> Part | None:
    """Return the part that sounds most like a tune: one note at a time, in a voice's reach, at its pace."""
    best, best_share = None, 0.35
    for part in parts:
        if part.stem != "other" or len(part.notes) < 6:
            continue
        notes = part.notes
        overlaps = sum(a.end > b.start + 0.05 for a, b in itertools.pairwise(notes))
        pitch = float(np.mean([note.pitch for note in notes]))
        share = sum(note.end - note.start for note in notes) / seconds
        pace = len(notes) / seconds
        if (
            overlaps <= 0.15 * len(notes)
            and 54 <= pitch <= 88
            and pace < 4.5
            and share > best_share
        ):
            best, best_share = part, share
    return best


def from_lead(lead: Part, lowest: int, highest: int, random: np.random.Generator) -> list[Any]:
    """Return a lead part's notes for a voice: in its range, none too short, one syllable each."""
    middle = (lowest + highest) / 2.0
    shift = 12 * round((middle - float(np.median([n.pitch for n in lead.notes]))) / 12.0)
    tune: list[tuple[float, float, int]] = []
    for note in lead.notes:
        pitch = note.pitch + shift
        while pitch > highest + 3:
            pitch -= 12
        while pitch < lowest - 3:
            pitch += 12
        if tune and note.start - tune[-1][0] < 0.13:
            continue
        if tune and tune[-1][1] > note.start:
            tune[-1] = (tune[-1][0], note.start, tune[-1][2])
        tune.append((max(note.start, 0.1), note.end, pitch))
    return _sung([n for n in tune if n[1] - n[0] > 0.08], random)


def made(
    parts: Sequence[Part],
    beats: Sequence[float],
    lowest: int,
    highest: int,
    random: np.random.Generator,
) -> list[Any]:
    """Compose a tune over what the band plays: its own notes on strong beats, near ones between them.

    Phrases last some beats and end in a pause. The pitch classes that sound
    within two beats, weighted by their length, are the ones that fit.
    """
    grid = _eighths(beats)
    playing = [n for p in parts if p.stem in ("bass", "other") for n in p.notes]
    whole = _weights(playing, grid[0], grid[-1])
    pitch = (lowest + highest) // 2
    tune: list[tuple[float, float, int]] = []
    slot = int(random.integers(0, 4))
    pace = random.choice([0.6, 1.0, 1.6])
    while slot < len(grid) - 4:
        phrase_end = min(slot + int(random.integers(8, 17)), len(grid) - 2)
        while slot < phrase_end:
            steps = (1, 2, 3, 4, 6)
            odds = np.array([4.0 / pace, 4.0, 1.0, 1.5 * pace, 0.7 * pace])
            length = min(int(random.choice(steps, p=odds / odds.sum())), phrase_end - slot)
            if phrase_end - slot - length <= 1:
                length = phrase_end - slot
            now = _weights(playing, grid[slot], grid[min(slot + max(length, 2), len(grid) - 1)])
            strong = slot % 2 == 0 or length > 1
            fit = now + 0.02 * whole if strong else now + 0.5 * whole
            fit = fit / (fit.max() + 1e-9)
            usable = [
                p for p in range(lowest, highest + 1) if fit[p % 12] > (0.45 if strong else 0.25)
            ]
            aim = pitch + random.normal(0.0, 2.8) + 0.12 * ((lowest + highest) / 2.0 - pitch)
            if usable:
                pitch = min(usable, key=lambda p: abs(p - aim))
            end = grid[min(slot + length, len(grid) - 1)]
            tune.append((grid[slot], end, int(pitch)))
            slot += length
        slot += int(random.integers(1, 7))
        if random.random() < 0.12:
            slot += 12
    return _sung(tune, random)


def third_above(tune: list[Any], random: np.random.Generator) -> list[Any]:
    """Return some phrases of a tune a third higher, in the scale that the tune itself uses."""
    used = np.bincount([n.pitch % 12 for n in tune], minlength=12)
    scale = set(np.flatnonzero(used > 0.03 * used.sum()).tolist())
    voice, on = [], True
    for note in tune:
        if note.opens:
            on = random.random() < 0.6
        if on:
            third = next((p for p in (4, 3) if (note.pitch + p) % 12 in scale), 4)
            voice.append(score.replace(note, pitch=note.pitch + third))
    if voice:
        voice[0] = score.replace(voice[0], opens=True)
    return voice


def _sung(tune: list[tuple[float, float, int]], random: np.random.Generator) -> list[Any]:
    syllables = words(len(tune), random)
    notes, before = [], -1.0
    for (start, end, pitch), syllable in zip(tune, syllables, strict=True):
        notes.append(score.Note(start, end, pitch, syllable, start - before > 0.2))
        before = end
    return notes


def _eighths(beats: Sequence[float]) -> list[float]:
    """Split beats in two, or not, so that a slot lasts 0.18 to 0.42 s."""
    grid = [float(beat) for beat in beats]
    while len(grid) > 2 and np.median(np.diff(grid)) > 0.42:
        halves = [(a + b) / 2.0 for a, b in itertools.pairwise(grid)]
        grid = sorted([*grid, *halves])
    while len(grid) > 2 and np.median(np.diff(grid)) < 0.16:
        grid = grid[::2]
    return grid


def _weights(
    playing: list[Struck], start: float, end: float
) -> np.ndarray[Any, np.dtype[np.float64]]:
    total = np.zeros(12)
    for note in playing:
        shared = min(note.end, end) - max(note.start, start)
        if shared > 0:
            total[note.pitch % 12] += min(shared, end - start)
    return total
