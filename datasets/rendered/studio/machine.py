"""A drum machine: grooves of electronic music and hip-hop, played with one-shot sounds."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from . import oneshots
from .oneshots import Kit

__all__ = ["GROOVES", "kick_times", "played", "programmed"]

Signal = npt.NDArray[np.float64]
Hit = tuple[float, str, float]
"""Seconds, role, gain."""

SAMPLE_RATE = 44100
GROOVES = {
    "house": {"kick": "x...x...x...x...", "clap": "....x.......x...", "open": "..x...x...x...x.", "hat": "xxxxxxxxxxxxxxxx"},
    "trap": {"kick": "x......x..x.....", "snare": "........x.......", "hat": "x.x.x.x.x.x.x.x."},
    "boom": {"kick": "x.....x.x.......", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
    "breaks": {"kick": "x.x.......x.....", "snare": "....x..x.x..x...", "hat": "x.x.x.x.x.x.x.x."},
    "reggaeton": {"kick": "x...x...x...x...", "snare": "...x..x....x..x.", "hat": "x.x.x.x.x.x.x.x."},
    "techno": {"kick": "x...x...x...x...", "hat": "..x...x...x...x.", "tom": ".......x......x."},
    "ballad": {"kick": "x.......x.......", "snare": "....x.......x...", "hat": "x...x...x...x..."},
    "sparse": {"kick": "x.........x.....", "clap": "........x.......", "hat": "................"},
}  # fmt: skip
"""Sixteen steps of a bar for each role."""


def programmed(beats: Sequence[float], random: np.random.Generator) -> list[Hit]:
    """Return the hits of a groove over beats (seconds) in 4/4: rolls of hats, fills, a break or two."""
    names = list(GROOVES)
    groove = {k: list(v) for k, v in GROOVES[names[int(random.integers(len(names)))]].items()}
    for step in random.choice(16, 3, replace=False):
        if random.random() < 0.4:
            groove["kick"][step] = "." if groove["kick"][step] == "x" else "x"
    swing = float(random.choice([0.0, 0.0, 0.1, 0.2]))
    bars = max(len(beats) // 4, 1)
    silent = set(random.choice(bars, bars // 8, replace=False).tolist()) if bars > 8 else set()
    hits: list[Hit] = []
    for index in range(len(beats) - 1):
        bar, beat = divmod(index, 4)
        if bar in silent:
            continue
        step = (beats[index + 1] - beats[index]) / 4.0
        for quarter in range(4):
            moment = beats[index] + (quarter + (swing if quarter % 2 else 0.0)) * step
            for role, steps in groove.items():
                if steps[4 * beat + quarter] != "x":
                    continue
                gain = float(np.clip(random.normal(0.85 if quarter else 1.0, 0.1), 0.3, 1.2))
                hits.append((moment, role, gain))
                if role == "hat" and random.random() < 0.06:
                    count = int(random.choice([2, 3, 4]))
                    hits += [
                        (moment + step * n / count, "hat", 0.7 * gain) for n in range(1, count)
                    ]
        if bar % 8 == 7 and beat == 3 and random.random() < 0.6:
            hits += [(beats[index] + n * step, "snare", 0.5 + 0.15 * n) for n in range(4)]
        if index % 32 == 0 and random.random() < 0.6:
            hits.append((beats[index], "crash", 0.7))
    return sorted(hits)


def kick_times(hits: Sequence[Hit]) -> list[float]:
    """Return the times of the kick in seconds."""
    return [moment for moment, role, _ in hits if role == "kick"]


def played(hits: Sequence[Hit], seconds: float, random: np.random.Generator) -> Signal:
    """Return drums, float64 (2, samples): each role from one kit, sometimes from another."""
    kit = _kit(random)
    out = np.zeros((2, round(seconds * SAMPLE_RATE)))
    levels = {
        "kick": 1.0,
        "snare": 0.8,
        "clap": 0.6,
        "hat": 0.25,
        "open": 0.25,
        "tom": 0.6,
        "crash": 0.3,
    }
    level = {r: g * 10.0 ** (random.normal(0.0, 2.5) / 20.0) for r, g in levels.items()}
    chosen = {role: sounds[int(random.integers(len(sounds)))] for role, sounds in kit.items()}
    for moment, role, gain in hits:
        use = role if role in chosen else {"clap": "snare", "open": "hat"}.get(role)
        if use is None or use not in chosen:
            continue
        sounds = kit[use]
        sound = sounds[int(random.integers(len(sounds)))] if random.random() < 0.3 else chosen[use]
        first = max(round(moment * SAMPLE_RATE), 0)
        count = min(sound.shape[1], out.shape[1] - first)
        if count > 0:
            out[:, first : first + count] += gain * level[role] * sound[:, :count]
    return out


def _kit(random: np.random.Generator) -> Kit:
    kit = oneshots.synthesized(random)
    folders = oneshots.kits()
    if folders and random.random() < 0.75:
        kit |= oneshots.recorded(folders[int(random.integers(len(folders)))], random)
        if random.random() < 0.4:
            kit["kick"] = oneshots.synthesized(random)["kick"]
    return kit
