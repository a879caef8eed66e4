"""What a studio does to stems and to their mixture, drawn by chance: rooms, doubling, width, compression.

Stems are float32 (2, samples) at 44.1 kHz. Every function returns a new array; loudness stays about
the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.fft
import soxr
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import lfilter

from ..spectrum import Samples

RATE = 44_100
QUIET = 1e-3
_STEP = 64
"""Samples for each of which one gain is computed; in between, gains are interpolated."""

Gain = npt.NDArray[np.float32]


def roomy(window: Samples, rng: np.random.Generator) -> Samples:
    """In a room: decaying noise of 0.2 to 1.8 s, 6 to 26 dB below the dry sound, after up to 40 ms."""
    length = int(rng.uniform(0.2, 1.8) * RATE)
    decay = np.exp(np.linspace(0.0, -6.9, length, dtype=np.float32))
    tail = rng.standard_normal((2, length), dtype=np.float32) * decay
    tail *= np.float32(
        10.0 ** (rng.uniform(-26.0, -6.0) / 20.0) / np.sqrt(np.square(tail).sum() / 2)
    )
    delay = int(rng.uniform(0.0, 0.04) * RATE)
    size = scipy.fft.next_fast_len(window.shape[1] + length, real=True)
    spectrum = scipy.fft.rfft(window.mean(axis=0), n=size) * scipy.fft.rfft(tail, n=size, axis=-1)
    wet = scipy.fft.irfft(spectrum, n=size, axis=-1)[:, : window.shape[1] - delay]
    result = window.copy()
    result[:, delay:] += wet
    return _as_loud(result, window)


def thickened(window: Samples, rng: np.random.Generator) -> Samples:
    """Doubled: two copies out of tune by up to 20 cents and late by 8 to 40 ms, one to each side."""
    result = window.copy()
    gain = np.float32(10.0 ** (rng.uniform(-10.0, -1.0) / 20.0))
    for side in range(2):
        speed = 2.0 ** (rng.uniform(-20.0, 20.0) / 1200.0)
        copy = soxr.resample(window.mean(axis=0), speed, 1.0, quality="LQ")
        delay = int(rng.uniform(0.008, 0.04) * RATE)
        count = min(copy.size, window.shape[1] - delay)
        result[side, delay : delay + count] += gain * copy[:count]
    return _as_loud(result, window)


def widened(window: Samples, rng: np.random.Generator) -> Samples:
    """Of another width: the difference of the channels times 0 to 2."""
    middle = window.mean(axis=0, keepdims=True)
    result: Samples = middle + np.float32(rng.uniform(0.0, 2.0)) * (window - middle)
    return result


def ducking(trigger: Samples, rng: np.random.Generator) -> Gain:
    """Gain of a compressor that `trigger`, such as the drums, turns down by 2 to 20 dB.

    Returns
    -------
    numpy.ndarray
        float32 (samples,), between 0 and 1.
    """
    heard = np.abs(trigger).mean(axis=0)
    peaks = heard[: heard.size // _STEP * _STEP].reshape(-1, _STEP).max(axis=1)
    release = np.exp(-_STEP / (rng.uniform(0.05, 0.25) * RATE))
    level = np.sqrt(lfilter([1.0 - release], [1.0, -release], np.square(peaks)))
    level = np.minimum(level / (np.quantile(level, 0.98) + 1e-6), 1.0)
    return _interpolated(10.0 ** (-rng.uniform(2.0, 20.0) * level / 20.0), trigger.shape[1])


def mastering(mixture: Samples, rng: np.random.Generator) -> Gain:
    """Gain of a bus compressor and a limiter that make a mixture dense.

    The compressor evens out the level over 0.1 to 0.4 s by a share of 0 to 0.6; the limiter cuts
    what lies above a ceiling 0 to 9 dB below the highest peaks.

    Returns
    -------
    numpy.ndarray
        float32 (samples,).
    """
    heard = np.abs(mixture).max(axis=0)
    peaks = heard[: heard.size // _STEP * _STEP].reshape(-1, _STEP).max(axis=1) + 1e-6
    power = uniform_filter1d(np.square(peaks), int(rng.uniform(0.1, 0.4) * RATE / _STEP))
    mean = float(power.mean())
    gain = (np.maximum(power, 1e-2 * mean) / mean) ** (-rng.uniform(0.0, 0.6) / 2.0)
    ceiling = float(np.quantile(peaks * gain, 0.995)) * 10.0 ** (-rng.uniform(0.0, 9.0) / 20.0)
    over = maximum_filter1d(peaks * gain, 7)
    gain *= uniform_filter1d(np.minimum(1.0, ceiling / over), 5)
    gain *= np.sqrt(np.square(peaks).mean() / np.square(peaks * gain).mean())
    return _interpolated(gain, mixture.shape[1])


def driven(window: Samples, drive: float) -> Samples:
    """Saturated by tanh."""
    loudness = float(np.sqrt(np.square(window).mean()))
    if loudness < QUIET:
        return window
    return _as_loud(np.tanh(window * np.float32(drive / (4.0 * loudness))), window)


def _interpolated(gains: npt.NDArray[np.float64], samples: int) -> Gain:
    places = (np.arange(gains.size) + 0.5) * _STEP
    return np.interp(np.arange(samples), places, gains).astype(np.float32)


def _as_loud(sound: Samples, before: Samples) -> Samples:
    """`sound` with the root mean square of `before`."""
    power = float(np.square(sound).mean())
    scale = np.sqrt(float(np.square(before).mean()) / power) if power > 0.0 else 1.0
    result: Samples = sound * np.float32(scale)
    return result
