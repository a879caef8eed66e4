"""Render parts through a soundfont with the program `fluidsynth`."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
import soundfile

from .notes import DRUM_PROGRAM, RECORDED_KIT, Part, Struck

__all__ = ["on_recorded_kit", "play"]

Signal = npt.NDArray[np.float64]
SAMPLE_RATE = 44100
_TICKS = 1920
"""Ticks per second: 960 per beat at 120 beats per minute."""
_AVL_KEYS = {35: 36, 48: 45, 50: 45, 40: 40} | {
    key: key
    for key in (36, 37, 38, 39, 41, 42, 43, 44, 45, 46, 47, 49, 51, 52, 53, 54, 55, 56, 57, 59)
}
_PAUSE = 1.5
"""Seconds between parts, in which the last notes decay."""


def play(parts: Sequence[Part], soundfont: Path, seconds: float) -> list[Signal]:
    """Return each part as (2, samples), dry, at the level that the soundfont gives.

    All parts are rendered one after another in one run, because reading a soundfont
    takes longer than rendering a part; then the result is cut into parts.

    Raises
    ------
    RuntimeError
        If fluidsynth fails; the message holds its output.
    """
    if not parts:
        return []
    samples = round(seconds * SAMPLE_RATE)
    with tempfile.TemporaryDirectory(prefix="benchbench-studio-") as scratch:
        score, sound = Path(scratch) / "parts.mid", Path(scratch) / "parts.wav"
        _midi(parts, seconds + _PAUSE).save(str(score))
        command = ["fluidsynth", "-n", "-i", "-q", "-r", str(SAMPLE_RATE), "-R", "0", "-C", "0"]
        command += ["-g", "0.5", "-o", "synth.dynamic-sample-loading=1", "-O", "float", "-T", "wav"]
        command += ["-F", str(sound), str(soundfont), str(score)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not sound.exists():
            raise RuntimeError(f"fluidsynth failed ({done.returncode}): {done.stderr[-500:]}")
        audio, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    takes = []
    for index in range(len(parts)):
        first = round(index * (seconds + _PAUSE) * SAMPLE_RATE)
        take = np.zeros((2, samples))
        count = max(min(samples, audio.shape[0] - first), 0)
        take[:, :count] = audio[first : first + count].T
        takes.append(take)
    return takes


def on_recorded_kit(part: Part) -> Part:
    """Return a drum part for a kit of AVL: a melodic program 0, toms and cymbals on its own keys."""
    notes = tuple(
        Struck(note.start, note.end, _AVL_KEYS[note.pitch], note.velocity)
        for note in part.notes
        if note.pitch in _AVL_KEYS
    )
    return Part(RECORDED_KIT, notes, part.controls)


def _midi(parts: Sequence[Part], every: float) -> mido.MidiFile:
    """Return parts as one file: part i starts at i times `every` seconds, on a reset channel."""
    events: list[tuple[float, int, mido.Message]] = []
    for index, part in enumerate(parts):
        events += _events(part, index * every)
    track = mido.MidiTrack()
    ticks = 0
    for clock, _, message in sorted(events, key=lambda event: event[:2]):
        now = round(clock * _TICKS)
        track.append(message.copy(time=now - ticks))
        ticks = now
    song = mido.MidiFile(ticks_per_beat=960)
    song.tracks.append(track)
    return song


def _events(part: Part, offset: float) -> list[tuple[float, int, mido.Message]]:
    """Return (seconds, rank among equal times, message)."""
    drums = part.program == DRUM_PROGRAM
    channel = 9 if drums else 0
    program = part.kit if drums else max(part.program, 0)
    events = [
        (offset, 0, mido.Message("control_change", channel=channel, control=120, value=0)),
        (offset, 0, mido.Message("control_change", channel=channel, control=121, value=0)),
        (offset, 0, mido.Message("control_change", channel=channel, control=7, value=100)),
        (offset, 0, mido.Message("control_change", channel=channel, control=10, value=64)),
        (offset, 0, mido.Message("program_change", channel=channel, program=program)),
    ]
    for clock, kind, number, value in part.controls:
        if kind == "bend":
            message = mido.Message("pitchwheel", channel=channel, pitch=value)
        else:
            message = mido.Message("control_change", channel=channel, control=number, value=value)
        events.append((offset + clock, 1, message))
    for note in part.notes:
        struck = {"channel": channel, "note": note.pitch}
        start = offset + max(note.start, 0.0)
        events.append((start, 3, mido.Message("note_on", velocity=note.velocity, **struck)))
        events.append((offset + note.end, 2, mido.Message("note_off", velocity=0, **struck)))
    return events
