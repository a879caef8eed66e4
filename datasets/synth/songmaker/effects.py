"""Mixing effects: filters, levelling, saturation, doubling and rooms."""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, oaconvolve, sosfilt

from .signals import SAMPLE_RATE, Signal, decibels, seconds_to_samples


def low_pass(sound: Signal, cutoff: float, order: int = 2) -> Signal:
    """Keep frequencies below `cutoff` Hz."""
    return np.asarray(sosfilt(butter(order, cutoff, "low", fs=SAMPLE_RATE, output="sos"), sound))


def high_pass(sound: Signal, cutoff: float, order: int = 2) -> Signal:
    """Keep frequencies above `cutoff` Hz."""
    return np.asarray(sosfilt(butter(order, cutoff, "high", fs=SAMPLE_RATE, output="sos"), sound))


def band(sound: Signal, low: float, high: float, order: int = 1) -> Signal:
    """Keep frequencies between `low` and `high` Hz."""
    filters = butter(order, (low, high), "band", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(filters, sound))


def boost(sound: Signal, low: float, high: float, gain_db: float) -> Signal:
    """Raise (or lower) one band by about `gain_db`: the sound plus its filtered copy."""
    return sound + (decibels(gain_db) - 1.0) * band(sound, low, high)


def saturate(sound: Signal, drive: float) -> Signal:
    """Round off peaks: tanh of the sound at `drive` times its root mean square, level kept small."""
    loudness = np.sqrt(np.mean(sound**2)) + 1e-9
    return np.asarray(np.tanh(drive * sound / loudness))


def levelled(sound: Signal, strength: float, window: float = 0.12) -> Signal:
    """Compress the loudness.

    The gain is the running root mean square over `window` seconds to the power
    -`strength` (0 leaves the sound alone, 1 makes it all equally loud), with a
    floor 30 dB below the average so that pauses stay quiet.
    """
    power = np.atleast_2d(sound**2).mean(axis=0)
    running = uniform_filter1d(power, seconds_to_samples(window), mode="nearest")
    floor = float(power.mean()) * 1e-3 + 1e-12
    return sound * (np.maximum(running, floor) / (float(power.mean()) + 1e-12)) ** (-strength / 2.0)


def room(seconds: float, chance: np.random.Generator, damping: float = 6000.0) -> Signal:
    """Return a stereo impulse response (2, samples): noise that decays by 60 dB in `seconds`.

    The two channels are independent, as in a diffuse field, and a pre-delay of
    15 ms keeps the dry sound in front.
    """
    count = seconds_to_samples(seconds)
    decay = 10.0 ** (-3.0 * np.arange(count) / count)
    tail = low_pass(chance.standard_normal((2, count)) * decay, damping, 1)
    tail = high_pass(tail, 200.0, 1)
    tail /= np.sqrt(np.sum(tail**2, axis=1, keepdims=True))
    return np.concatenate([np.zeros((2, seconds_to_samples(0.015))), tail], axis=1)


def reverberated(sound: Signal, response: Signal, wet: float) -> Signal:
    """Add the room to a stereo sound; `wet` is the amplitude of the room's share."""
    mono = sound.mean(axis=0, dtype=np.float32)[np.newaxis]
    wash = oaconvolve(mono, response.astype(np.float32), axes=1)[:, : sound.shape[1]]
    return sound + wet * wash.astype(np.float64)


def echo(sound: Signal, seconds: float, gain: float, repeats: int = 3) -> Signal:
    """Add repeats that swap sides each time, as a ping-pong delay does."""
    wet = sound.copy()
    shift = seconds_to_samples(seconds)
    for repeat in range(1, repeats + 1):
        source = sound[::-1] if repeat % 2 else sound
        if repeat * shift < sound.shape[1]:
            wet[:, repeat * shift :] += gain**repeat * source[:, : -repeat * shift]
    return wet
