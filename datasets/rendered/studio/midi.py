"""Excerpts of MIDI files as parts: one for each channel and program, in seconds."""

import io
from collections import defaultdict
from dataclasses import dataclass

import mido
import numpy as np

from .materials import Piece
from .notes import DRUM_PROGRAM, Control, Part, Struck

__all__ = ["Excerpt", "Score", "excerpt", "read_score"]

_CONTROLS = (1, 7, 10, 11, 64)


@dataclass(frozen=True)
class Score:
    """A whole MIDI file: parts, when its beats fall, its length in seconds."""

    parts: tuple[Part, ...]
    beats: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class Excerpt:
    """Some seconds of a score: parts and beats count from the excerpt's own start."""

    parts: tuple[Part, ...]
    beats: tuple[float, ...]
    seconds: float


def read_score(piece: Piece) -> Score:
    """Read a MIDI file.

    Raises
    ------
    ValueError
        If the file is damaged; the message names it.
    """
    try:
        song = mido.MidiFile(file=io.BytesIO(piece.data), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise ValueError(f"{piece.name} is not a MIDI file that can be read: {error}") from error
    program: dict[int, int] = defaultdict(int)
    sounding: dict[tuple[int, int], list[tuple[float, int, int]]] = defaultdict(list)
    notes: dict[tuple[int, int], list[Struck]] = defaultdict(list)
    controls: dict[int, list[Control]] = defaultdict(list)
    clock, ticks, tempo, next_beat = 0.0, 0, 500000, 0
    beats: list[float] = []
    for message in mido.merge_tracks(song.tracks):
        reached = ticks + message.time
        while next_beat <= reached:
            beats.append(clock + mido.tick2second(next_beat - ticks, song.ticks_per_beat, tempo))
            next_beat += song.ticks_per_beat
        clock += mido.tick2second(message.time, song.ticks_per_beat, tempo)
        ticks = reached
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type == "program_change":
            program[message.channel] = message.program
        elif message.type == "control_change" and message.control in _CONTROLS:
            controls[message.channel].append((clock, "control", message.control, message.value))
        elif message.type == "pitchwheel":
            controls[message.channel].append((clock, "bend", 0, message.pitch))
        elif message.type == "note_on" and message.velocity > 0:
            played = DRUM_PROGRAM if message.channel == 9 else program[message.channel]
            sounding[message.channel, message.note].append((clock, message.velocity, played))
        elif message.type in ("note_on", "note_off") and sounding[message.channel, message.note]:
            start, velocity, played = sounding[message.channel, message.note].pop(0)
            notes[message.channel, played].append(
                Struck(start, max(clock, start + 0.03), message.note, velocity)
            )
    parts = tuple(
        Part(
            played,
            tuple(sorted(struck, key=lambda n: n.start)),
            tuple(controls[channel]),
            max(program[channel], 0) if channel == 9 else 0,
        )
        for (channel, played), struck in sorted(notes.items())
    )
    return Score(parts, tuple(beats), clock)


def excerpt(score: Score, start: float, seconds: float, pace: float, transpose: int) -> Excerpt:
    """Cut `seconds` out of a score, played `pace` times as fast and `transpose` semitones higher.

    The last control of each kind before the start is moved to the start.
    """
    parts = []
    for part in score.parts:
        lift = 0 if part.stem == "drums" else transpose
        struck = tuple(
            Struck(
                (note.start - start) / pace,
                min((note.end - start) / pace, seconds),
                int(np.clip(note.pitch + lift, 0, 127)),
                note.velocity,
            )
            for note in part.notes
            if start - 0.02 <= note.start < start + seconds * pace - 0.05
        )
        if struck:
            parts.append(
                Part(part.program, struck, _controls(part, start, seconds, pace), part.kit)
            )
    beats = tuple(
        (beat - start) / pace for beat in score.beats if start <= beat < start + seconds * pace
    )
    return Excerpt(tuple(parts), beats, seconds)


def _controls(part: Part, start: float, seconds: float, pace: float) -> tuple[Control, ...]:
    before: dict[tuple[str, int], Control] = {}
    within: list[Control] = []
    for clock, kind, number, value in part.controls:
        if clock < start:
            before[kind, number] = (0.0, kind, number, value)
        elif clock < start + seconds * pace:
            within.append(((clock - start) / pace, kind, number, value))
    return (*before.values(), *within)
