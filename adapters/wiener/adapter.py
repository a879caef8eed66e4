"""A static Wiener filter: each frequency is always shared out in the same way.

The shares are the stems' mean powers in songs that it was fitted on. It knows where voices and
basses lie and nothing of the song in hand, so a separator that learns has to beat it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

Audio = npt.NDArray[np.float32]

WINDOW = 2048
TRANSFORM = ShortTimeFFT(hann(WINDOW, sym=False), hop=WINDOW // 2, fs=44100.0)
BLOCK = 1 << 20


class Adapter:
    """Masks the mixture with shares that do not change in time."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Read the fitted powers; two stems are made of four where need be."""
        del device, options
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its profile.")
        with np.load(weights / "profile.npz", allow_pickle=False) as file:
            powers = {name: np.asarray(file[name], np.float64) for name in file.files}
        if variant == "2stems":
            rest = np.sum([p for name, p in powers.items() if name != "vocals"], axis=0)
            powers = {"vocals": powers["vocals"], "accompaniment": rest}
        total = np.sum(list(powers.values()), axis=0)
        self.shares = {name: (p / total).astype(np.float32) for name, p in powers.items()}

    def separate(self, mixture: Audio, sample_rate: int) -> Iterator[dict[str, Audio]]:
        """Yield stems (channels, samples) of a mixture at 44.1 kHz, block by block."""
        del sample_rate
        samples = mixture.shape[1]
        for start in range(0, samples, BLOCK):
            end = min(samples, start + BLOCK)
            # A window more on each side: the block's own samples do not depend on its borders.
            first, last = max(0, start - 2 * WINDOW), min(samples, end + 2 * WINDOW)
            piece = mixture[:, first:last]
            room = max(0, WINDOW - piece.shape[1])
            padded = np.pad(piece, ((0, 0), (0, room)))
            spectrum = TRANSFORM.stft(padded, axis=1)
            yield {
                name: np.real(
                    TRANSFORM.istft(
                        spectrum * share[:, None], k1=padded.shape[1], f_axis=1, t_axis=2
                    )
                )[:, start - first : end - first].astype(np.float32)
                for name, share in self.shares.items()
            }
