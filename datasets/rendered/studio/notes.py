"""Notes of instruments, and which stem an instrument belongs to."""

from dataclasses import dataclass

__all__ = ["DRUM_PROGRAM", "RECORDED_KIT", "Control", "Part", "Struck", "stem_of"]

DRUM_PROGRAM = -1
"""Used instead of a General MIDI program for the drum channel."""

RECORDED_KIT = -2
"""The same for a kit whose soundfont has it as its first melodic program."""

Control = tuple[float, str, int, int]
"""Seconds, ``control`` or ``bend``, its number (0 for a bend), its value."""


@dataclass(frozen=True, slots=True)
class Struck:
    """One note of an instrument: seconds, MIDI number, how hard it is struck (1 to 127)."""

    start: float
    end: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Part:
    """What one player plays: a General MIDI program (0 to 127) and notes in the order of time."""

    program: int
    notes: tuple[Struck, ...]
    controls: tuple[Control, ...] = ()
    kit: int = 0

    @property
    def stem(self) -> str:
        """The stem that the part belongs to."""
        return stem_of(self.program)


def stem_of(program: int) -> str:
    """Return the stem of a General MIDI program, or "" for noises that belong to none."""
    if program in (DRUM_PROGRAM, RECORDED_KIT) or 115 <= program <= 119:
        return "drums"
    if 32 <= program <= 39:
        return "bass"
    return "" if program >= 120 else "other"
