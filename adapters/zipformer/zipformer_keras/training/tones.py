"""Random filters of stems, so that no stem is known by its bandwidth or its tone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.fft

from ..spectrum import Samples
from .augmentation import RATE, VOCALS
from .variation import Variation

BEND_DB = 3.0
"""Standard deviation of the gain at each octave."""


def tones(
    stems: Sequence[str], bins: int, frame: int, variation: Variation, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Random filters as gains of the bins.

    Tilts of up to 4 dB an octave, bent by some dB an octave; low-passes from 4.5 to 16 kHz; for
    vocals, shelves that lower what lies below 150 to 1000 Hz by 3 to 30 dB, at 6 to 18 dB an octave.

    Parameters
    ----------
    stems
        Names of the stems that they are for.
    bins, frame
        Bins, and samples of a frame, of the spectra that they are for.
    variation
        Says how many are not flat.
    rng
        Source of all randomness.

    Returns
    -------
    numpy.ndarray
        float32 (stems, bins).
    """
    frequency = np.maximum(np.arange(bins), 1) * (RATE / frame)
    octaves = np.log2(frequency / 1000.0)
    gains = np.ones((len(stems), bins), np.float32)
    for index, stem in enumerate(stems):
        if rng.random() < variation.tone:
            slope = rng.uniform(-4.0, 4.0)
            level = slope * np.clip(octaves, -3.0, 4.0)
            level += np.interp(octaves, np.arange(-4, 5), rng.normal(0.0, BEND_DB, 9))
            gains[index] = 10.0 ** (level / 20.0)
        if rng.random() < 0.4 * variation.tone:
            cut = 10.0 ** rng.uniform(np.log10(4500.0), np.log10(16000.0))
            gains[index] /= np.sqrt(1.0 + (frequency / cut) ** 16)
        if stem == VOCALS and rng.random() < variation.thin:
            cut = 10.0 ** rng.uniform(np.log10(150.0), np.log10(1000.0))
            below = (cut / frequency) ** (2 * int(rng.integers(1, 4)))
            kept = 10.0 ** (rng.uniform(-30.0, -3.0) / 10.0)
            gains[index] *= np.sqrt((1.0 + kept * below) / (1.0 + below))
    return gains


def filtered(samples: Samples, gains: npt.NDArray[np.float32]) -> Samples:
    """Apply `tones` to waveforms, float32 (stems, 2, samples).

    Above the last bin a filter goes on with its last gain.
    """
    spectrum = scipy.fft.rfft(samples, axis=-1)
    places = np.linspace(0.0, 1.0, spectrum.shape[-1])
    known = np.linspace(0.0, 1.0, gains.shape[-1])
    for stem, gain in enumerate(gains):
        if not np.all(gain == 1.0):
            spectrum[stem] *= np.interp(places, known, gain).astype(np.float32)
    result: Samples = scipy.fft.irfft(spectrum, n=samples.shape[-1], axis=-1)
    return result
