"""Convert speech to singing with WORLD: syllables get the pitch and length of notes.

The vowel falls on the beat, consonants keep their length, and the vowel fills the
note. Recordings end at 8 kHz; the envelope above is extrapolated from just below,
so that no spectral edge identifies the voice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .generator import songmaker
from .speech import FRAME, RATE, Syllable
from .world import pyworld

__all__ = ["Timbre", "sung"]

Signal = npt.NDArray[np.float64]
SAMPLE_RATE = 44100
BINS = 1025
diction: Any = songmaker("diction")


@dataclass(frozen=True, slots=True)
class Timbre:
    """How a speaker's voice is changed.

    Parameters
    ----------
    stretch : formants relative to the speaker's own; above 1 is a smaller body.
    edge : Hz above which the envelope is extrapolated.
    slope : dB an octave above the edge.
    breath : share of the voice that is replaced by noise, 0 to 1.
    tilt : dB an octave over the whole voice, above 500 Hz.
    talk : 0 sings; 1 keeps the melody of speech, as in rap.
    """

    stretch: float
    edge: float
    slope: float
    breath: float
    tilt: float
    talk: float = 0.0


def sung(
    tune: Sequence[Any],
    words: Sequence[Syllable],
    timbre: Timbre,
    singer: Any,
    seconds: float,
    random: np.random.Generator,
) -> Signal:
    """Return a mono take (samples,) of a tune.

    Parameters
    ----------
    tune : notes of songmaker.
    words : one syllable for each note; fewer are repeated.
    singer : songmaker's, for vibrato and slides.
    """
    frames = int(seconds / FRAME) + 1
    hop = diction.FRAME
    clock = np.arange(frames) * FRAME
    gestures = diction.perform(list(tune), seconds, singer, random)
    pitch = np.interp(clock, np.arange(gestures.pitch.size) * hop, gestures.pitch)
    envelope = np.full((frames, words[0].envelope.shape[1]), 1e-12)
    noise = np.ones_like(envelope)
    spoken = np.zeros(frames)
    ends, mood = 0.0, 1.0
    for index, note in enumerate(tune):
        word = words[index % len(words)]
        following = tune[index + 1] if index + 1 < len(tune) else None
        after = words[(index + 1) % len(words)]
        held = note.end
        if following is not None and following.start - note.end < 0.05:
            held = following.start - min(after.vowel * FRAME, 0.4 * (following.start - note.start))
        first, moments = _paced(word, note.start, held, ends, random)
        count = min(moments.size, frames - first)
        if count <= 0:
            continue
        near = np.clip(np.round(moments[:count]).astype(int), 0, word.pitch.size - 1)
        span = slice(first, first + count)
        mood = 10.0 ** (random.normal(0.0, 2.0) / 20.0) if note.opens else mood
        gain = (mood * random.uniform(0.8, 1.2)) ** 2 / (word.envelope[word.peak].mean() + 1e-12)
        shape = np.interp(
            np.arange(count),
            [0, 3, max(count - 8, 4), max(count - 1, 5)],
            [0.3, 1, 1, 0.05 if following is None or following.opens else 0.6],
        )
        envelope[span] = word.envelope[near] * (gain * shape**2)[:, np.newaxis]
        noise[span] = word.aperiodicity[near]
        spoken[span] = word.pitch[near]
        ends = (first + count) * FRAME
    noise = 1.0 - (1.0 - noise) * (1.0 - timbre.breath)
    voiced = spoken > 0
    if timbre.talk and voiced.any():
        middle = np.exp(np.mean(np.log(pitch[voiced])) - np.mean(np.log(spoken[voiced])))
        own = np.where(voiced, spoken * middle, pitch)
        pitch = pitch ** (1.0 - timbre.talk) * own**timbre.talk
    high_envelope, high_noise = _widened(envelope, noise, timbre)
    sound = pyworld.synthesize(
        np.where(voiced, pitch, 0.0),
        np.ascontiguousarray(high_envelope),
        np.ascontiguousarray(high_noise),
        SAMPLE_RATE,
        1000.0 * FRAME,
    )
    whole = np.zeros(round(seconds * SAMPLE_RATE))
    whole[: sound.size] = sound[: whole.size]
    return whole


def _paced(
    word: Syllable, start: float, end: float, free: float, random: np.random.Generator
) -> tuple[int, Signal]:
    """Return the first output frame and, for each, the syllable's frame that sounds there."""
    opening = min(word.vowel * FRAME, max(start - free, 0.0) if free else start)
    whole = max(end - start, 0.06)
    rise = min((word.peak - word.vowel) * FRAME, 0.3 * whole)
    tail = min((word.pitch.size - word.peak) * FRAME, 0.45 * whole)
    first = int((start - opening) / FRAME)
    last = int((start + whole) / FRAME)
    at = np.array([start - opening, start, start + rise, start + whole - tail, start + whole])
    source = np.array([0, word.vowel, word.peak, word.peak + 2, word.pitch.size - 1], dtype=float)
    moments = np.interp(np.arange(first, last) * FRAME, at, source)
    wander = np.convolve(random.standard_normal(moments.size + 40), np.ones(40) / 6.3, "same")
    return first, moments + 0.8 * wander[: moments.size]


def _widened(envelope: Signal, noise: Signal, timbre: Timbre) -> tuple[Signal, Signal]:
    """Return envelope and aperiodicity on the bins of 44.1 kHz, formants stretched, the top guessed."""
    bins = envelope.shape[1]
    own = np.arange(bins) * (RATE / 2) / (bins - 1)
    wanted = np.arange(BINS) * (SAMPLE_RATE / 2) / (BINS - 1) / timbre.stretch
    edge = int(timbre.edge / own[1])
    level = np.log(envelope + 1e-14).astype(np.float32)
    top = level[:, edge - 45 : edge].mean(axis=1)
    position = np.minimum(wanted / own[1], edge - 1.001)
    below = position.astype(int)
    share = (position - below).astype(np.float32)
    out = level[:, below] * (1.0 - share) + level[:, below + 1] * share
    octaves = np.log2(np.maximum(wanted / own[edge], 1.0)).astype(np.float32)
    blend = np.clip((wanted - own[edge] * 0.9) / (own[edge] * 0.1), 0.0, 1.0).astype(np.float32)
    out = out * (1.0 - blend) + (top[:, np.newaxis] - 0.2303 * timbre.slope * octaves) * blend
    fall = np.log2(np.maximum(wanted * timbre.stretch / 500.0, 1.0)).astype(np.float32)
    out -= np.float32(0.2303 * timbre.tilt) * fall
    noisy = noise[:, below] * (1.0 - share) + noise[:, below + 1] * share
    noisy = np.clip(noisy + 0.15 * octaves, 0.0, 1.0)
    return np.exp(out).astype(np.float64), noisy
