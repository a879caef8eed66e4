"""The ideal ratio mask: each bin of the mixture is shared out by the true stems' energies.

It sees the references, so it is an upper bound for separators that mask the mixture's spectrum,
not a separator. With ``alpha = 2`` it is IRM2 of SiSEC18, with ``alpha = 1`` IRM1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import istft, stft

Audio = npt.NDArray[np.float32]

WINDOW = 2048
BLOCK = 512 * WINDOW
CONTEXT = 2 * WINDOW
"""Samples on both sides of a block, so that it comes out as from the whole signal: the windows lie
where they would, and those that its borders cut are left out."""

TINY = np.float32(1e-12)


class Adapter:
    """Masks the mixture with ``|S_j|^alpha / sum_k |S_k|^alpha``."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Choose the stems and the exponent."""
        del weights, device
        self.two_stems = variant.startswith("2stems")
        self.alpha = float(str(options.get("alpha", 2.0)))

    def separate(
        self, mixture: Audio, sample_rate: int, references: Mapping[str, Audio]
    ) -> Iterator[dict[str, Audio]]:
        """Yield stems (channels, samples) from the mixture and its true stems, block by block."""
        del sample_rate
        length = mixture.shape[1]
        for start in range(0, max(1, length), BLOCK):
            first, stop = max(0, start - CONTEXT), min(length, start + BLOCK)
            part = slice(first, stop + CONTEXT)
            audio = {name: stem[:, part] for name, stem in references.items()}
            made = self._masked(mixture[:, part], audio)
            yield {name: stem[:, start - first : stop - first] for name, stem in made.items()}

    def _masked(self, mixture: Audio, references: Mapping[str, Audio]) -> dict[str, Audio]:
        """One block with what surrounds it."""
        stems = dict(references)
        if self.two_stems and "accompaniment" not in stems:
            vocals = stems.pop("vocals")
            stems = {"vocals": vocals, "accompaniment": np.sum(list(stems.values()), axis=0)}
        estimates = {name: np.empty(mixture.shape, np.float32) for name in stems}
        for channel in range(mixture.shape[0]):
            spectrum = self._transform(mixture[channel])
            powers = {
                n: np.abs(self._transform(s[channel])) ** self.alpha for n, s in stems.items()
            }
            total = np.sum(list(powers.values()), axis=0) + TINY
            for name, power in powers.items():
                _, signal = istft(spectrum * (power / total), nperseg=WINDOW)
                estimates[name][channel] = signal[: mixture.shape[1]]
        return estimates

    def _transform(self, signal: Audio) -> npt.NDArray[np.complex64]:
        """Spectrum (bins, frames), Hann window of 2048 with half overlap; short input is padded."""
        padded = np.pad(signal, (0, max(0, WINDOW - len(signal))))
        spectrum: npt.NDArray[np.complex64] = stft(padded, nperseg=WINDOW)[2]
        return spectrum
