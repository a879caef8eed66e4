"""A small generative separator: what is masked is thrown away but for its mel spectrogram.

A mask for what stands in the middle and varies keeps the voice's part of the spectrogram, of which
only the magnitudes in mel bands are kept. From these the sound is made anew with phases that fit
together (fast Griffin-Lim). It is a vocoder without a network: it shows what generative separators
do to a metric, and is no good separator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

Audio = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]

WINDOW = 2048
HOP = 512
TRANSFORM = ShortTimeFFT(hann(WINDOW, sym=False), hop=HOP, fs=1.0)
BLOCK = 1 << 19
CONTEXT = 1 << 15
"""Samples before and after a block that are made too, so that its borders do not click."""

MOMENTUM = 0.99
LOWEST_HZ, HIGHEST_HZ = 100.0, 12000.0
"""Where voices are; the rest of the spectrum is accompaniment."""


class Adapter:
    """Masks, forgets the phase, and makes the sound anew."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Take the options; there is nothing to load."""
        del variant, weights, device
        self.rounds = int(str(options.get("rounds", 32)))
        self.bands = int(str(options.get("bands", 128)))

    def separate(self, mixture: Audio, sample_rate: int) -> Iterator[dict[str, Audio]]:
        """Yield vocals and accompaniment (channels, samples), block by block."""
        samples = mixture.shape[1]
        for start in range(0, max(1, samples), BLOCK):
            stop = min(samples, start + BLOCK)
            first, last = max(0, start - CONTEXT), min(samples, stop + CONTEXT)
            piece = np.asarray(mixture[:, first:last])
            voice = self.voice(piece, sample_rate)
            own = slice(start - first, stop - first)
            vocals = np.repeat(voice[None, own], len(piece), axis=0)
            yield {"vocals": vocals, "accompaniment": piece[:, own] - vocals}

    def voice(self, piece: Audio, sample_rate: int) -> Audio:
        """What stands in the middle of a piece, made anew: float32 (samples,)."""
        samples = piece.shape[1]
        padded = np.pad(piece, ((0, 0), (0, max(0, WINDOW - samples))))
        spectra = TRANSFORM.stft(padded, axis=1).astype(np.complex64)
        magnitude = np.abs(middle(spectra)).astype(np.float32)
        frequencies = np.fft.rfftfreq(WINDOW, 1.0 / sample_rate)
        magnitude *= ((frequencies >= LOWEST_HZ) & (frequencies <= HIGHEST_HZ))[:, None]
        if self.bands:
            magnitude = through_bands(magnitude, frequencies, self.bands)
        return griffin_lim(magnitude, self.rounds, padded.shape[1])[:samples]


def middle(spectra: Spectrum) -> Spectrum:
    """The mean of the channels, weighted by how alike they are in each bin.

    Parameters
    ----------
    spectra
        Shape (channels, bins, frames); one channel passes whole.
    """
    mean = spectra.mean(axis=0)
    apart = np.abs(spectra - mean).mean(axis=0)
    share = np.abs(mean) ** 2 / np.maximum(np.abs(mean) ** 2 + 4.0 * apart**2, 1e-12)
    return np.asarray(mean * share, dtype=np.complex64)


def through_bands(magnitude: Audio, frequencies: npt.NDArray[np.floating], bands: int) -> Audio:
    """Magnitudes with the detail of triangular mel bands: squeezed, and spread out again."""

    def mel(hertz: npt.NDArray[np.floating] | float) -> npt.NDArray[np.float64]:
        return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))

    edges = np.linspace(mel(0.0), mel(frequencies[-1]), bands + 2)
    places = mel(frequencies)
    rising = (places[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - places[None]) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    squeezed = np.sqrt(weights / total @ magnitude**2)
    spread = weights / np.maximum(weights.sum(axis=0, keepdims=True), 1e-9)
    return np.asarray(spread.T @ squeezed, dtype=np.float32)


def griffin_lim(magnitude: Audio, rounds: int, samples: int) -> Audio:
    """A sound whose spectrogram has these magnitudes as nearly as may be: float32 (samples,)."""
    phase = np.exp(2j * np.pi * np.random.default_rng(0).random(magnitude.shape))
    before: Spectrum = np.zeros_like(magnitude, dtype=np.complex64)
    spectrum = (magnitude * phase).astype(np.complex64)
    for _ in range(rounds):
        sound = np.real(TRANSFORM.istft(spectrum, k1=samples))
        now = TRANSFORM.stft(sound).astype(np.complex64)
        onward = now + MOMENTUM * (now - before)
        before = now
        spectrum = (magnitude * onward / np.maximum(np.abs(onward), 1e-9)).astype(np.complex64)
    return np.real(TRANSFORM.istft(spectrum, k1=samples)).astype(np.float32)
