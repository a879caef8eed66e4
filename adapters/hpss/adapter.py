"""Harmonic-percussive separation: what lasts is harmonic, what spreads over frequency is percussive.

D. FitzGerald, DAFx 2010, with the settings that librosa made customary: windows of 2048 with a
quarter's hop, medians over 31 frames and 31 bins, soft masks with exponent 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

Audio = npt.NDArray[np.float32]

WINDOW = 2048
TRANSFORM = ShortTimeFFT(hann(WINDOW, sym=False), hop=WINDOW // 4, fs=1.0)
BLOCK = 1 << 20


class Adapter:
    """Masks each channel by itself."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Take the options; there is nothing to load."""
        del variant, weights, device
        self.kernel = int(str(options.get("kernel", 31)))
        self.power = float(str(options.get("power", 2.0)))

    def separate(self, mixture: Audio, sample_rate: int) -> Iterator[dict[str, Audio]]:
        """Yield percussive and harmonic part (channels, samples), block by block."""
        del sample_rate
        length = mixture.shape[1]
        # A block's own samples do not depend on its borders: the median sees half its kernel.
        context = self.kernel // 2 * TRANSFORM.hop + 2 * WINDOW
        for start in range(0, max(1, length), BLOCK):
            first, stop = max(0, start - context), min(length, start + BLOCK)
            piece = mixture[:, first : stop + context]
            own = slice(start - first, stop - first)
            drums = np.stack([self.percussive(channel)[own] for channel in piece])
            yield {"drums": drums, "other": piece[:, own] - drums}

    def percussive(self, channel: Audio) -> Audio:
        """The percussive part of one channel; the harmonic one is the rest."""
        length = len(channel)
        padded = np.pad(channel, (0, max(0, WINDOW - length)))
        spectrum = TRANSFORM.stft(padded).astype(np.complex64)
        magnitude = np.abs(spectrum)
        harmonic = medians(magnitude, self.kernel)
        percussive = medians(magnitude.T, self.kernel).T
        larger = np.maximum(harmonic, percussive)
        larger[larger == 0] = 1  # silence: both parts get half of nothing
        ours, theirs = (percussive / larger) ** self.power, (harmonic / larger) ** self.power
        total = ours + theirs
        mask = np.divide(ours, total, out=np.full_like(ours, 0.5), where=total > 0)
        signal = TRANSFORM.istft(spectrum * mask, k1=len(padded))[:length]
        return np.real(signal).astype(np.float32)


def medians(rows: Audio, kernel: int) -> Audio:
    """Running medians along rows, which go on mirrored past their ends.

    All rows are one line to SciPy, whose filter of a line is ten times as fast as that of a plane.
    """
    before, after = kernel // 2, (kernel - 1) // 2
    line = np.pad(rows, ((0, 0), (before, after)), mode="symmetric")
    found: Audio = median_filter(line.ravel(), size=kernel).reshape(line.shape)
    return found[:, before : before + rows.shape[1]]
