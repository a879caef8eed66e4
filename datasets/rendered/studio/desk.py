"""The mixing desk: tone, drive, width and rooms of a stem, balance of the stems, and the master."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfilt

from .generator import songmaker

__all__ = [
    "aired",
    "balanced",
    "coloured",
    "driven",
    "loudness",
    "placed",
    "roomy",
    "shelf",
]

Signal = npt.NDArray[np.float64]
SAMPLE_RATE = 44100
effects: Any = songmaker("effects")


def shelf(sound: Signal, frequency: float, gain_db: float) -> Signal:
    """Raise or lower the frequencies above a limit, with a first-order slope."""
    above = sosfilt(butter(1, frequency, "high", fs=SAMPLE_RATE, output="sos"), sound)
    return np.asarray(sound + (10.0 ** (gain_db / 20.0) - 1.0) * above)


def coloured(sound: Signal, random: np.random.Generator, strength: float = 4.0) -> Signal:
    """Equalise at random: two bands and two shelves, some dB up or down."""
    for _ in range(2):
        middle = float(np.exp(random.uniform(np.log(120.0), np.log(9000.0))))
        gain = random.normal(0.0, strength)
        sound = effects.boost(
            sound, 0.7 * middle, min(1.4 * middle, 20000.0), float(np.clip(gain, -10, 8))
        )
    sound = shelf(
        sound, random.uniform(2500.0, 9000.0), float(np.clip(random.normal(0, strength), -9, 8))
    )
    return np.asarray(sound)


def driven(sound: Signal, drive: float) -> Signal:
    """Overdrive, most in the loudest parts, and keep the level."""
    level = loudness(sound)
    hot = np.tanh(drive * sound / (3.0 * level + 1e-12))
    return np.asarray(hot * level / (loudness(hot) + 1e-12))


def aired(sound: Signal, amount: float, random: np.random.Generator) -> Signal:
    """Add harmonics above 8 kHz from the band below, as an exciter does."""
    band = effects.band(sound, 3500.0, 9000.0, 2)
    level = loudness(band)
    harmonics = effects.high_pass(
        np.abs(band) * (1.0 + 0.5 * random.standard_normal(band.shape)), 8000.0, 4
    )
    return np.asarray(sound + amount * harmonics * level / (loudness(harmonics) + 1e-12))


def placed(sound: Signal, position: float) -> Signal:
    """Pan a stereo sound to a side (-1 to 1) at equal power."""
    angle = (position + 1.0) * np.pi / 4.0
    return np.asarray(sound * np.array([[np.cos(angle)], [np.sin(angle)]]) * np.sqrt(2.0))


def roomy(sound: Signal, seconds: float, wet: float, random: np.random.Generator) -> Signal:
    """Add reverberation to a stereo sound."""
    response = effects.room(seconds, random, random.uniform(2500.0, 9000.0))
    return np.asarray(effects.reverberated(sound, response, wet))


def loudness(sound: Signal) -> float:
    """Return the root mean square of the parts that sound: within 30 dB of the loudest."""
    power = uniform_filter1d(np.atleast_2d(sound**2).mean(axis=0), SAMPLE_RATE // 5)[
        :: SAMPLE_RATE // 10
    ]
    heard = power[power > 1e-3 * power.max()]
    return float(np.sqrt(heard.mean())) if heard.size else 0.0


def balanced(
    stems: dict[str, Signal], levels: dict[str, float], glue: float, peak: float
) -> dict[str, Signal]:
    """Set stems to levels in dB and master them; a common gain leaves their sum the mixture.

    Parameters
    ----------
    glue : amount of compression of the mixture, 0 to 1.
    peak : of the mixture, or of the loudest stem if that is higher.
    """
    set_to = {
        name: stems[name] * 10.0 ** (levels[name] / 20.0) / (loudness(stems[name]) + 1e-9)
        for name in stems
    }
    mixture = np.sum(list(set_to.values()), axis=0)
    power = uniform_filter1d((mixture**2).mean(axis=0), SAMPLE_RATE // 4, mode="nearest")
    mean = float(power.mean()) + 1e-12
    gain = (np.maximum(power, 1e-2 * mean) / mean) ** (-glue / 2.0)
    edge = round(0.01 * SAMPLE_RATE)
    gain[:edge] *= np.linspace(0.0, 1.0, edge)
    fade = round(0.4 * SAMPLE_RATE)
    gain[-fade:] *= np.linspace(1.0, 0.0, fade)
    # As a limiter does: 99.99 % of the samples set the level, the peaks are attenuated briefly.
    loud = np.abs(mixture * gain).max(axis=0)
    ceiling = float(np.quantile(loud, 0.9995)) + 1e-12
    window = 2 * round(0.002 * SAMPLE_RATE) + 1
    over = np.minimum(1.0, ceiling / np.maximum(loud, 1e-12))
    gain *= uniform_filter1d(minimum_filter1d(over, 2 * window), window)
    out = {name: sound * gain for name, sound in set_to.items()}
    top = max(float(np.abs(s).max()) for s in (*out.values(), np.sum(list(out.values()), axis=0)))
    return {name: sound * (peak / (top + 1e-12)) for name, sound in out.items()}
