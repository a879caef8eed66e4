"""Synthetic basses: long sines of 32 Hz and up, slides between notes, saws and squares in a filter."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from .notes import Struck

__all__ = ["PATCHES", "lowered", "played"]

Signal = npt.NDArray[np.float64]
SAMPLE_RATE = 44100
PATCHES = ("sub", "boom", "saw", "square", "reese", "fm")
"""sub: a held sine; boom: a decaying, driven sine, as in hip-hop; reese: two detuned saws."""


def lowered(notes: Sequence[Struck], random: np.random.Generator) -> list[Struck]:
    """Return notes moved by octaves to begin at a MIDI number of 24 to 30 (33 to 46 Hz)."""
    floor = int(random.integers(24, 31))
    return [Struck(n.start, n.end, floor + (n.pitch - floor) % 12, n.velocity) for n in notes]


def played(notes: Sequence[Struck], seconds: float, random: np.random.Generator) -> Signal:
    """Return a bass, float64 (2, samples), of one patch; a few notes slide from the one before."""
    patch = PATCHES[int(random.choice(len(PATCHES), p=[0.25, 0.3, 0.15, 0.1, 0.1, 0.1]))]
    size = round(seconds * SAMPLE_RATE)
    pitch, level = np.full(size, 40.0), np.zeros(size)
    decay = float(random.uniform(0.25, 1.2))
    sliding = float(random.choice([0.0, 0.15, 0.5]))
    before = None
    for note in sorted(notes, key=lambda n: n.start):
        first, last = round(max(note.start, 0.0) * SAMPLE_RATE), round(note.end * SAMPLE_RATE)
        last = min(last, size)
        if last - first < 400:
            continue
        time = np.arange(last - first) / SAMPLE_RATE
        line = np.full(time.size, float(note.pitch))
        if before is not None and random.random() < sliding:
            glide = float(random.uniform(0.03, 0.25))
            line += (before - note.pitch) * np.exp(-time / glide)
        if patch == "boom":
            line += float(random.uniform(5.0, 24.0)) * np.exp(-time / 0.012)
        pitch[first:last] = line
        shape = np.exp(-time / decay) if patch == "boom" else np.ones(time.size)
        edge = min(220, time.size // 2)
        shape[:edge] *= np.linspace(0.0, 1.0, edge)
        shape[-edge:] *= np.linspace(1.0, 0.0, edge)
        level[first:last] = shape * note.velocity / 127.0
        before = note.pitch
    frequency = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    sound = _oscillated(patch, frequency, level, random)
    if patch != "sub" or random.random() < 0.5:
        drive = float(np.exp(random.uniform(np.log(0.8), np.log(6.0))))
        sound = np.tanh(drive * sound) / np.tanh(drive)
    return np.repeat(sound[np.newaxis], 2, axis=0)


def _oscillated(
    patch: str, frequency: Signal, level: Signal, random: np.random.Generator
) -> Signal:
    """Return a mono sound of a patch; `frequency` in Hz and `level` for every sample."""
    phase = np.cumsum(frequency) / SAMPLE_RATE
    sine = np.sin(2.0 * np.pi * phase)
    if patch in ("sub", "boom"):
        second = float(random.uniform(0.0, 0.3)) * np.sin(4.0 * np.pi * phase)
        return np.asarray((sine + second) * level)
    if patch == "fm":
        depth = float(random.uniform(0.5, 4.0)) * level
        ratio = float(random.choice([1.0, 2.0, 3.0]))
        return np.asarray(
            np.sin(2.0 * np.pi * phase + depth * np.sin(2.0 * np.pi * ratio * phase)) * level
        )
    apart = 1.0 + (float(random.uniform(0.002, 0.012)) if patch == "reese" else 0.0)
    voices = [_saw(phase, frequency), _saw(phase * apart, frequency * apart)]
    if patch == "square":
        voices[1] = -_saw(phase + 0.5, frequency)
    raw = (voices[0] + voices[1]) / 2.0 * level
    cut = float(np.exp(random.uniform(np.log(150.0), np.log(2500.0))))
    filtered = sosfilt(butter(4, cut, "low", fs=SAMPLE_RATE, output="sos"), raw)
    return np.asarray(filtered + float(random.uniform(0.0, 0.7)) * sine * level)


def _saw(phase: Signal, frequency: Signal) -> Signal:
    """Return a saw whose jumps are rounded by polynomials over two samples, against aliases."""
    place, step = phase % 1.0, frequency / SAMPLE_RATE
    wave = 2.0 * place - 1.0
    start, end = place < step, place > 1.0 - step
    x = place[start] / step[start]
    wave[start] -= 2.0 * x - x * x - 1.0
    x = (place[end] - 1.0) / step[end]
    wave[end] -= x * x + 2.0 * x + 1.0
    return np.asarray(wave)
