"""The ideal binary mask: each bin of the mixture goes to the stem that owns most of it.

It sees the references, so it is an upper bound for separators that decide bin by bin. A stem
keeps a bin when its share of the magnitudes exceeds ``theta`` (0.5 is IBM1 of SiSEC18), so a bin
can stay with nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

Audio = npt.NDArray[np.float32]

BLOCK = 1 << 20
CONTEXT = 4096
"""Samples on both sides of a block, so that it comes out as from the whole signal: the windows lie
where they would, and those that its borders cut are left out."""

TRANSFORM = ShortTimeFFT(hann(2048, sym=False), hop=1024, fs=1.0)


class Adapter:
    """Masks the mixture with ones and zeros."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Choose the stems and the threshold."""
        del weights, device
        self.rest = "accompaniment" if variant == "2stems" else None
        self.theta = float(str(options.get("theta", 0.5)))

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
        if self.rest and self.rest not in references:
            rest = [audio for name, audio in references.items() if name != "vocals"]
            references = {"vocals": references["vocals"], self.rest: np.sum(rest, axis=0)}
        length = mixture.shape[1]
        room = max(0, 2048 - length)  # the transform needs one window at least
        audio = {n: np.pad(a, ((0, 0), (0, room))) for n, a in references.items()}
        spectrum = TRANSFORM.stft(np.pad(mixture, ((0, 0), (0, room))), axis=1)
        magnitudes = {name: np.abs(TRANSFORM.stft(a, axis=1)) for name, a in audio.items()}
        total = np.sum(list(magnitudes.values()), axis=0)
        estimates: dict[str, Audio] = {}
        for name, own in magnitudes.items():
            masked = spectrum * (own > self.theta * total)
            signal = TRANSFORM.istft(masked, k1=length + room, f_axis=1, t_axis=2)
            estimates[name] = np.real(signal[:, :length]).astype(np.float32)
        return estimates
