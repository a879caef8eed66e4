"""Terms that every part of the band shares: the sample rate, array types, seeded chance, placing sounds."""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 44100

Signal = npt.NDArray[np.float64]
"""Mono (samples,) or stereo (2, samples), full scale 1."""

STEMS = ("drums", "bass", "other", "vocals")
PARTS = (*STEMS, "melody")


def chance(seed: int, part: str) -> np.random.Generator:
    """Return the random numbers of one part of one song.

    Each part draws from a stream of its own, so that a change to the drums
    leaves the singing as it was.
    """
    return np.random.Generator(np.random.PCG64([seed, PARTS.index(part)]))


def hertz(midi: float) -> float:
    """Return the frequency of a MIDI note number (69 is 440 Hz)."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def decibels(value: float) -> float:
    """Return the amplitude factor of a level in dB."""
    return float(10.0 ** (value / 20.0))


def seconds_to_samples(seconds: float) -> int:
    """Round a time to whole samples."""
    return round(seconds * SAMPLE_RATE)


def place(track: Signal, sound: Signal, start: float, gain: float = 1.0) -> None:
    """Add `sound` to `track` in place from `start` seconds on; what lies outside is dropped.

    A mono sound goes to every channel of a stereo track.
    """
    first = max(seconds_to_samples(start), 0)
    count = min(sound.shape[-1], track.shape[-1] - first)
    if count > 0:
        track[..., first : first + count] += gain * sound[..., :count]


def pan(sound: Signal, position: float) -> Signal:
    """Place a mono sound between left (-1) and right (1) at equal power; returns (2, samples)."""
    angle = (position + 1.0) * np.pi / 4.0
    return np.array([[np.cos(angle)], [np.sin(angle)]]) * sound


def fade(sound: Signal, attack: float, release: float) -> Signal:
    """Ramp both ends of a mono sound, in seconds, so that it starts and stops without a click."""
    shaped = sound.copy()
    rise = min(max(seconds_to_samples(attack), 1), sound.size)
    fall = min(max(seconds_to_samples(release), 1), sound.size)
    shaped[:rise] *= np.linspace(0.0, 1.0, rise)
    shaped[-fall:] *= np.linspace(1.0, 0.0, fall)
    return shaped


def level(sound: Signal) -> float:
    """Return the root mean square over all channels and samples."""
    return float(np.sqrt(np.mean(sound**2)))
