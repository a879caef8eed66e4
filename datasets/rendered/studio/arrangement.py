"""Generated songs: random keys, progressions, grooves and layers.

A song is a specification of `songmaker`, rendered by its instruments or, as
parts, by soundfonts.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .generator import songmaker
from .layers import layer
from .notes import DRUM_PROGRAM, Part, Struck
from .tunes import words

__all__ = ["any_singer", "any_song", "backing", "drum_part", "low_part"]

score: Any = songmaker("score")
drums: Any = songmaker("drums")
bass: Any = songmaker("bass")
accompaniment: Any = songmaker("accompaniment")

PROGRESSIONS = (
    (1, 5, 6, 4),
    (6, 4, 1, 5),
    (1, 4, 5, 4),
    (1, 6, 4, 5),
    (1, 3, 4, 4),
    (2, 5, 1, 6),
    (4, 1, 5, 6),
    (1, 7, 6, 7),
    (1, 4, 7, 3),
    (6, 5, 4, 5),
    (1, 2, 4, 1),
    (4, 5, 3, 6),
    (1, 1, 4, 5),
    (1, 6, 3, 7),
    (6, 2, 4, 5),
    (1, 5, 4, 4),
    (1, 4),
    (6, 7, 1, 1),
    (1, 1, 1, 4, 4, 1, 5, 4),
    (4, 4, 1, 1, 5, 5, 6, 6),
)
LAYER_PROGRAMS = {
    "held": (4, 5, 16, 17, 18, 19, 48, 49, 50, 51, 61, 62, 63, 88, 89, 90, 92, 93, 94, 95),
    "strummed": (24, 25, 26, 27, 24, 25, 7, 15, 105, 46),
    "power": (29, 30, 29, 30, 81),
    "stabs": (0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 18, 27, 28, 45, 56, 61, 62, 80, 81),
    "arpeggio": (0, 4, 5, 8, 10, 11, 12, 24, 25, 26, 27, 45, 46, 80, 81, 84, 98, 99),
    "riff": (26, 27, 28, 29, 30, 56, 61, 65, 66, 73, 80, 81, 83, 84, 87, 22, 40),
    "piano": (0, 1, 2, 3, 4, 5, 16),
}


def any_singer(random: np.random.Generator) -> Any:
    """Return a random singer: range, tract, vibrato, breath and brightness, drawn together."""
    build = random.uniform(0.0, 1.0)
    lowest = round(44 + 18 * build + random.normal(0.0, 1.5))
    return score.Singer(
        "drawn by chance",
        lowest,
        lowest + int(random.integers(9, 15)),
        float(np.clip(0.95 + 0.27 * build + random.normal(0.0, 0.04), 0.88, 1.3)),
        vibrato=float(random.uniform(5.0, 70.0)),
        breath=float(random.uniform(0.01, 0.15)),
        brightness=float(random.uniform(1800.0, 5500.0)),
        double=float(random.choice([0.0, 0.15, 0.3, 0.6])),
    )


def any_song(seed: int, seconds: float, random: np.random.Generator) -> Any:
    """Return a song's specification of about `seconds`, with random patterns."""
    bpm = float(random.uniform(70.0, 160.0))
    lines = max(2, round(seconds / (2 * 4 * 60.0 / bpm)))
    singer = any_singer(random)
    tonic = 50 + int(random.integers(0, 12))
    drums.PATTERNS[f"own-{seed}"] = _groove(random)
    bass.PATTERNS[f"own-{seed}"] = _bass_line(random)
    layers = list(accompaniment.LAYERS)
    random.shuffle(layers)
    return score.SongSpec(
        name=f"own-{seed}",
        seed=seed,
        style="drawn by chance",
        bpm=bpm,
        tonic=tonic,
        mode=str(random.choice(["major", "minor"])),
        progression=PROGRESSIONS[int(random.integers(len(PROGRESSIONS)))],
        singer=singer,
        lyrics=tuple(" ".join(words(int(random.integers(5, 12)), random)) for _ in range(lines)),
        drums=f"own-{seed}",
        bass=f"own-{seed}/{random.choice(['pick', 'finger', 'synth'])}",
        layers=tuple(layers[: int(random.integers(1, 4))]),
        levels=(0.0, 0.0, 0.0),
    )


def _groove(random: np.random.Generator) -> dict[str, str]:
    """Return sixteen steps of kick, snare and hat: common ones, with changes."""
    known = list(drums.PATTERNS)[:6]
    groove = {
        k: list(v) for k, v in drums.PATTERNS[known[int(random.integers(len(known)))]].items()
    }
    for step in random.choice([2, 3, 6, 7, 9, 10, 11, 13, 14, 15], 3, replace=False):
        if random.random() < 0.5:
            groove["kick"][step] = "x" if groove["kick"][step] == "." else "."
    if random.random() < 0.3:
        groove["snare"][int(random.choice([7, 9, 14, 15]))] = "x"
    hats = (
        "x.x.x.x.x.x.x.x.",
        "xxxxxxxxxxxxxxxx",
        "x...x...x...x...",
        "..x...x...x...x.",
        "x.xxx.xxx.xxx.xx",
        "x..x..x.x..x..x.",
        "................",
    )
    if random.random() < 0.6:
        groove["hat"] = list(hats[int(random.integers(len(hats)))])
    return {name: "".join(steps) for name, steps in groove.items()}


def _bass_line(random: np.random.Generator) -> tuple[tuple[float, int], ...]:
    slots = [0.0] + [
        s / 2.0 for s in range(1, 16) if random.random() < (0.5 if s % 2 == 0 else 0.12)
    ]
    return tuple((slot, int(random.choice([0, 0, 0, 1, 2])) if slot else 0) for slot in slots)


def drum_part(beats: Sequence[float], random: np.random.Generator) -> Part:
    """Return a drum kit's part over beats in 4/4, with fills and crashes."""
    groove = _groove(random)
    closed, side = (
        int(random.choice([42, 42, 42, 51, 44, 70])),
        int(random.choice([38, 38, 40, 37, 39])),
    )
    keys = {"kick": 36 if random.random() < 0.7 else 35, "snare": side, "hat": closed}
    struck: list[Struck] = []
    swing = float(random.choice([0.0, 0.0, 0.0, 0.12]))
    for index, (now, then) in enumerate(itertools.pairwise(beats)):
        step = (then - now) / 4.0
        bar, beat = divmod(index, 4)
        fill = bar % 4 == 3 and beat >= 2
        for quarter in range(4):
            moment = now + (quarter + (swing if quarter % 2 else 0.0)) * step
            moment = max(0.0, moment + random.normal(0.0, 0.003))
            for drum, steps in groove.items():
                if steps[4 * beat + quarter] == "x" and not (fill and drum == "snare"):
                    accent = 96 if quarter == 0 else 74
                    key = keys[drum]
                    if drum == "hat" and closed == 42 and random.random() < 0.06:
                        key = 46
                    hard = int(
                        np.clip(accent + 12 * (drum != "hat") + random.normal(0, 8), 20, 127)
                    )
                    struck.append(Struck(moment, moment + 0.1, key, hard))
            if fill and random.random() < 0.8:
                key = int(random.choice([38, 38, 50, 47, 45, 43]))
                struck.append(Struck(moment, moment + 0.1, key, int(random.integers(70, 120))))
        if index % 16 == 0:
            struck.append(Struck(now, now + 1.0, int(random.choice([49, 57, 55])), 100))
    struck.sort(key=lambda n: n.start)
    return Part(DRUM_PROGRAM, tuple(struck))


def low_part(parts: Sequence[Part], beats: Sequence[float], random: np.random.Generator) -> Part:
    """Return a bass that follows the lowest notes of other parts."""
    playing = [n for p in parts if p.stem == "other" for n in p.notes]
    notes: list[Struck] = []
    root = 36
    for now, then in itertools.pairwise(beats):
        here = [n.pitch for n in playing if n.start < now + 0.1 and n.end > now + 0.05]
        root = 28 + (min(here) - 28) % 12 if here else root
        halves = [now, (now + then) / 2.0] if random.random() < 0.4 else [now]
        for index, moment in enumerate(halves):
            end = then if index == len(halves) - 1 else halves[1]
            notes.append(Struck(moment, end - 0.02, root, int(random.integers(80, 115))))
    return Part(int(random.integers(32, 40)), tuple(notes))


def backing(song: Any, random: np.random.Generator) -> tuple[list[Part], list[float]]:
    """Return a song's drums, bass and layers as parts for soundfonts, and its beats."""
    beats = [index * song.beat for index in range(4 * song.bars + 1)]
    parts = [drum_part(beats, random), _bass(song, random)]
    styles = list(LAYER_PROGRAMS)
    random.shuffle(styles)
    for style in styles[: int(random.integers(2, 5))]:
        program = int(random.choice(LAYER_PROGRAMS[style]))
        parts.append(Part(program, tuple(layer(song, style, random))))
    return parts, beats


def _bass(song: Any, random: np.random.Generator) -> Part:
    kind = song.bass.partition("/")[0]
    pattern = bass.PATTERNS[kind]
    starts = [slot for slot, _ in pattern] + [8.0]
    eighth = song.beat / 2.0
    notes = []
    legato = float(random.choice([0.5, 0.8, 0.97]))
    for bar in range(song.bars):
        low = 28 + (score.chord(song, bar)[0] - 28) % 12
        for index, (slot, step) in enumerate(pattern):
            start = bar * song.bar + slot * eighth
            end = start + (starts[index + 1] - slot) * eighth * legato
            hard = int(np.clip(random.normal(98, 10), 40, 127))
            notes.append(Struck(start, end, low + (0, 7, 12)[step], hard))
    return Part(int(random.integers(32, 40)), tuple(notes))
