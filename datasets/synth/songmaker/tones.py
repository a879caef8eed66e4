"""Notes of plucked, struck and bowed sounds, synthesised period by period.

One period is an inverse Fourier transform of its harmonics; a whole note is
all its periods transformed at once, each harmonic decaying at its own pace.
That is quick, free of aliasing, and needs no loop over samples.
"""

import numpy as np
import scipy.fft
from scipy.signal import lfilter

from .signals import SAMPLE_RATE, Signal


def harmonic_note(
    frequency: float,
    seconds: float,
    amplitudes: Signal,
    decays: Signal,
    random: np.random.Generator,
) -> Signal:
    """Return a mono note whose harmonic h starts at `amplitudes[h]` and dies as exp(-decays[h] t).

    Phases are random, so that two takes of a note differ as two strokes do.
    A period is transformed at a length that is quick to transform, and the
    note is then read at the pace that gives the exact pitch.
    """
    size = int(scipy.fft.next_fast_len(int(SAMPLE_RATE / frequency), real=True))
    count = min(amplitudes.size, int(0.45 * SAMPLE_RATE / frequency))
    periods = int(np.ceil(seconds * frequency)) + 1
    spectrum = np.zeros(count + 1, dtype=np.complex128)
    spectrum[1:] = amplitudes[:count] * np.exp(2j * np.pi * random.random(count))
    fading = np.ones((periods, count + 1))
    fading[:, 1:] = np.exp(-np.arange(periods)[:, np.newaxis] * decays[:count] / frequency)
    wave = scipy.fft.irfft(spectrum * fading, size, axis=1).reshape(-1) * size / 2.0
    return read_at(wave, frequency * size / SAMPLE_RATE, int(seconds * SAMPLE_RATE))


def steady_tone(
    frequency: float, seconds: float, amplitudes: Signal, random: np.random.Generator
) -> Signal:
    """Return a mono note whose harmonics do not decay: one period, repeated."""
    size = int(scipy.fft.next_fast_len(int(SAMPLE_RATE / frequency), real=True))
    count = min(amplitudes.size, int(0.45 * SAMPLE_RATE / frequency))
    spectrum = np.zeros(count + 1, dtype=np.complex128)
    spectrum[1:] = amplitudes[:count] * np.exp(2j * np.pi * random.random(count))
    period = scipy.fft.irfft(spectrum, size) * size / 2.0
    wave = np.tile(period, int(np.ceil(seconds * frequency)) + 1)
    return read_at(wave, frequency * size / SAMPLE_RATE, int(seconds * SAMPLE_RATE))


def read_at(wave: Signal, pace: float, samples: int) -> Signal:
    """Return `samples` values of `wave`, `pace` samples apart, interpolated."""
    moments = np.arange(samples) * pace
    return np.asarray(np.interp(moments, np.arange(wave.size), wave), dtype=np.float64)


def plucked(
    frequency: float,
    seconds: float,
    random: np.random.Generator,
    *,
    bright: float = 0.8,
    position: float = 0.18,
    decay: float = 1.5,
) -> Signal:
    """Return a string plucked at `position` of its length; `bright` (0 to 1) is the hardness of the pick."""
    harmonic = np.arange(1.0, 61.0)
    amplitudes = (
        np.abs(np.sin(np.pi * harmonic * position)) * bright ** (harmonic - 1.0) / harmonic**0.6
    )
    return harmonic_note(
        frequency,
        seconds,
        amplitudes,
        decay * (1.0 + 0.012 * harmonic**2 * (frequency / 220.0) ** 0.5),
        random,
    )


def piano(frequency: float, seconds: float, random: np.random.Generator) -> Signal:
    """Return a struck string with a soft hammer and the knock of the key."""
    harmonic = np.arange(1.0, 41.0)
    amplitudes = np.exp(-0.28 * (harmonic - 1.0) * (frequency / 260.0) ** 0.7) * np.abs(
        np.sin(np.pi * harmonic / 8.0)
    )
    note = harmonic_note(
        frequency,
        seconds,
        amplitudes,
        0.9 * (frequency / 260.0) ** 0.5 * (1.0 + 0.35 * harmonic),
        random,
    )
    return np.asarray(note * np.minimum(1.0, np.arange(note.size) / 90.0))


def electric_piano(frequency: float, seconds: float) -> Signal:
    """Return a tine struck softly: frequency modulation at 1:1 with a bell at 1:14 that dies at once."""
    clock = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    turn = 2.0 * np.pi * frequency * clock
    body = np.sin(turn + 1.1 * np.exp(-2.5 * clock) * np.sin(turn))
    bell = np.sin(turn + 0.5 * np.exp(-8.0 * clock) * np.sin(14.0 * turn))
    return np.asarray((body + 0.4 * bell) * np.exp(-1.3 * clock) * np.minimum(1.0, clock / 0.002))


def strings(
    frequency: float, seconds: float, random: np.random.Generator, *, cutoff: float = 1800.0
) -> Signal:
    """Return a soft synthetic ensemble note: three detuned saws below `cutoff` Hz."""
    harmonic = np.arange(1.0, 41.0)
    amplitudes = 1.0 / harmonic / (1.0 + (harmonic * frequency / cutoff) ** 3)
    voices = [
        steady_tone(frequency * tune, seconds, amplitudes, random) for tune in (0.9965, 1.0, 1.0035)
    ]
    return voices[0] + voices[1] + voices[2]


def one_pole(sound: Signal, cutoff: float) -> Signal:
    """Soften a sound by 6 dB an octave above `cutoff` Hz."""
    pole = np.exp(-2.0 * np.pi * cutoff / SAMPLE_RATE)
    return np.asarray(lfilter([1.0 - pole], [1.0, -pole], sound))
