"""REPET-SIM: a frame's accompaniment is the median of the frames that resemble it most.

Z. Rafii and B. Pardo, ISMIR 2012, with the settings of their implementation: Hamming windows of
40 ms with half overlap, up to 100 frames at least a second apart, nothing below 100 Hz as vocals.
The similarity matrix is computed some rows at a time, and a song longer than five minutes in parts
that fade into each other, each like a song of its own: what repeats in music does so within minutes,
and memory and time would follow the length and its square.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hamming

Audio = npt.NDArray[np.float32]
Real = npt.NDArray[np.float32]

SECONDS = 0.04
ROWS = 256
"""Frames whose similarities with all others are held at a time."""
PART_S = 300.0
"""Seconds that are searched for similar frames; a song that is not longer is one part."""
FADE_S = 10.0
"""Seconds that two parts share."""


class Adapter:
    """Masks the mixture with what its similar frames have in common."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Take the options; there is nothing to load."""
        del variant, weights, device
        self.similar = int(str(options.get("similar", 100)))
        self.distance = float(str(options.get("distance", 1.0)))
        self.cutoff = float(str(options.get("cutoff", 100.0)))

    def separate(self, mixture: Audio, sample_rate: int) -> Iterator[dict[str, Audio]]:
        """Yield vocals and accompaniment (channels, samples), part by part."""
        length = mixture.shape[1]
        part, fade = round(PART_S * sample_rate), round(FADE_S * sample_rate)
        parts = max(1, math.ceil((length - fade) / (part - fade)))
        step = max(1, math.ceil((length - fade) / parts))
        rising = np.linspace(0, 1, fade, dtype=np.float32)
        before: Audio | None = None
        for start in range(0, max(1, length - fade), step):
            piece = np.asarray(mixture[:, start : start + step + fade])
            found = self.accompaniment(piece, sample_rate)
            if before is not None:
                found[:, :fade] = rising * found[:, :fade] + (1 - rising) * before
            own = slice(0, None if start + step + fade >= length else step)
            before = found[:, step:]
            yield {"vocals": piece[:, own] - found[:, own], "accompaniment": found[:, own]}

    def accompaniment(self, mixture: Audio, sample_rate: int) -> Audio:
        """What repeats in one part (channels, samples)."""
        window = 1 << max(1, round(np.ceil(np.log2(SECONDS * sample_rate))))
        transform = ShortTimeFFT(hamming(window, sym=False), hop=window // 2, fs=sample_rate)
        length = mixture.shape[1]
        padded = np.pad(mixture, ((0, 0), (0, max(0, window - length))))
        spectra = transform.stft(padded, axis=1).astype(np.complex64)
        magnitudes = np.abs(spectra)
        apart = max(1, round(self.distance * sample_rate / transform.hop))
        masks = repeating_masks(magnitudes, self.similar, apart)
        low = transform.f < self.cutoff
        low[0] = False  # the mean of a voice is as good as none
        masks[:, low] = 1
        signal = transform.istft(spectra * masks, k1=padded.shape[1], f_axis=1, t_axis=2)
        return np.real(signal[:, :length]).astype(np.float32)


def repeating_masks(magnitudes: Real, similar: int, apart: int) -> Real:
    """The share of each bin that repeats.

    Parameters
    ----------
    magnitudes
        (channels, bins, frames).
    similar
        How many frames a frame is compared with at most.
    apart
        Frames between those at least.
    """
    shape = magnitudes.shape
    frames = magnitudes.mean(axis=0).T
    norms = np.linalg.norm(frames, axis=1, keepdims=True)
    unit = frames / np.where(norms > 0, norms, 1)
    mixed = np.ascontiguousarray(magnitudes.reshape(-1, shape[2]).T)
    masks = np.empty_like(mixed)
    for start in range(0, len(unit), ROWS):
        similarity = unit[start : start + ROWS] @ unit.T
        peaks = similarity >= maximum_filter1d(similarity, 2 * apart + 1, axis=1)
        ranked = np.where(peaks, similarity, -1)
        for row, own in enumerate(ranked, start):
            chosen = np.argpartition(own, -min(similar, len(own)))[-similar:]
            chosen = chosen[own[chosen] >= 0]
            least = np.minimum(median(mixed[chosen]), mixed[row])
            masks[row] = least / np.where(mixed[row] > 0, mixed[row], 1)
    return np.moveaxis(masks.reshape(shape[2], *shape[:2]), 0, 2)


def median(rows: Real) -> Real:
    """The median of each column. Sorting lines is ten times as fast as NumPy's own for so few rows."""
    columns = np.ascontiguousarray(rows.T)
    columns.sort(axis=1)
    middle = columns.shape[1] // 2
    if columns.shape[1] % 2:
        return columns[:, middle]
    middles: Real = (columns[:, middle - 1] + columns[:, middle]) * np.float32(0.5)
    return middles
