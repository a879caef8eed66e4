"""The layers of an accompaniment: chords that are held, strummed, stabbed, broken up, and riffs.

Each style of playing is a function that adds the notes of one bar. The settings of a player for a
song (dynamics, offbeats, riff) are drawn once, in a fixed order, so that a seed always
gives the same song.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .generator import songmaker
from .notes import Struck

__all__ = ["STYLES", "layer"]

score: Any = songmaker("score")

_LOWEST = {
    "held": 50,
    "strummed": 45,
    "power": 38,
    "stabs": 55,
    "arpeggio": 58,
    "riff": 57,
    "piano": 48,
}
"""The lowest MIDI pitch of each style's chords."""


@dataclass
class _Player:
    """How one player plays a song, and the notes so far."""

    song: Any
    random: np.random.Generator
    seventh: bool
    hard: int
    offbeats: list[int]
    strokes: list[int]
    order: list[int]
    riff: list[tuple[int, int]]
    notes: list[Struck] = field(default_factory=list)

    @classmethod
    def drawn(cls, song: Any, random: np.random.Generator) -> "_Player":
        """Draw the settings that are the same in all bars."""
        return cls(
            song,
            random,
            seventh=random.random() < 0.3,
            hard=int(random.integers(65, 110)),
            offbeats=[s for s in range(16) if random.random() < 0.35] or [2, 6, 10, 14],
            strokes=[s for s in range(8) if s == 0 or random.random() < 0.6],
            order=random.permutation([0, 1, 2, 3, 2, 1, 0, 3]).tolist(),
            riff=[
                (int(s), int(random.integers(0, 5)))
                for s in sorted(random.choice(16, 6, replace=False))
            ],
        )

    @property
    def eighth(self) -> float:
        """Seconds of an eighth note."""
        return float(self.song.beat) / 2.0

    @property
    def sixteenth(self) -> float:
        """Seconds of a sixteenth note."""
        return float(self.song.beat) / 4.0

    def add(self, start: float, end: float, pitch: int, accent: int = 0) -> None:
        """Add a note, a little early or late, a little louder or softer."""
        moment = max(0.0, start + self.random.normal(0.0, 0.004))
        loud = int(np.clip(self.hard + accent + self.random.normal(0, 7), 20, 127))
        self.notes.append(Struck(moment, max(end, moment + 0.05), int(pitch), loud))

    def stroke_ends(self) -> list[tuple[int, int]]:
        """Start and end of each stroke in a bar, in eighths."""
        return list(zip(self.strokes, [*self.strokes[1:], 8], strict=True))


def layer(song: Any, style: str, random: np.random.Generator) -> list[Struck]:
    """The notes of one layer in its style of playing, in the order in which they begin."""
    player = _Player.drawn(song, random)
    for bar in range(song.bars):
        first, third, fifth = score.chord(song, bar)
        low = _LOWEST[style] + (first - _LOWEST[style]) % 12
        top = low + (10 if player.seventh else 12)
        chord = [low, low + third - first, low + fifth - first, top]
        STYLES[style](player, bar, bar * song.bar, chord)
    return sorted(player.notes, key=lambda note: note.start)


def _held(player: _Player, _bar: int, at: float, chord: list[int]) -> None:
    for pitch in chord:
        player.add(at, at + player.song.bar * 0.98, pitch)


def _strummed(player: _Player, _bar: int, at: float, chord: list[int]) -> None:
    strings = [chord[0], chord[2], chord[0] + 12, chord[1] + 12, chord[2] + 12]
    for start, end in player.stroke_ends():
        for number, pitch in enumerate(strings if start % 2 == 0 else strings[::-1]):
            moment = at + start * player.eighth + 0.01 * number
            player.add(moment, at + end * player.eighth, pitch, 10 * (start == 0))


def _power(player: _Player, _bar: int, at: float, chord: list[int]) -> None:
    for start, end in player.stroke_ends():
        for pitch in (chord[0], chord[0] + 7, chord[0] + 12):
            player.add(at + start * player.eighth, at + end * player.eighth * 0.98, pitch)


def _stabs(player: _Player, _bar: int, at: float, chord: list[int]) -> None:
    for slot in player.offbeats:
        for pitch in chord[:3]:
            start = at + slot * player.sixteenth
            player.add(start, at + (slot + 0.8) * player.sixteenth, pitch)


def _arpeggio(player: _Player, _bar: int, at: float, chord: list[int]) -> None:
    slots = 16 if player.eighth > 0.2 else 8
    width = player.song.bar / slots
    for slot in range(slots):
        player.add(at + slot * width, at + (slot + 1.5) * width, chord[player.order[slot % 8]])


def _riff(player: _Player, bar: int, at: float, _chord: list[int]) -> None:
    if bar % 4 == 3:
        return
    progression = player.song.progression
    for slot, tone in player.riff:
        pitch = score.degree_pitch(player.song, progression[bar % len(progression)] - 1 + tone)
        start, end = at + slot * player.sixteenth, at + (slot + 1.6) * player.sixteenth
        player.add(start, end, 57 + (pitch - 57) % 12)


def _piano(player: _Player, _bar: int, at: float, chord: list[int]) -> None:
    beat = player.song.beat
    for number in range(4):
        for pitch in chord if number % 2 == 0 else chord[1:]:
            player.add(at + number * beat, at + (number + 0.95) * beat, pitch)
        if number % 2 == 0:
            player.add(at + number * beat, at + (number + 1.9) * beat, chord[0] - 12)


STYLES: dict[str, Callable[[_Player, int, float, list[int]], None]] = {
    "held": _held, "strummed": _strummed, "power": _power, "stabs": _stabs,
    "arpeggio": _arpeggio, "riff": _riff, "piano": _piano,
}  # fmt: skip
"""Each style's function: the player, the bar's number, its start in seconds, its chord."""
