"""The lower bound of separation: every stem is the mixture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

STEMS = {
    "2stems": ("vocals", "accompaniment"),
    "4stems": ("vocals", "drums", "bass", "other"),
}
BLOCK = 1 << 20


class Adapter:
    """Hands the mixture back as each stem, block by block."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Remember the stems; there is nothing to load."""
        del weights, device, options
        self.stems = STEMS[variant]

    def separate(
        self, mixture: npt.NDArray[np.float32], sample_rate: int
    ) -> Iterator[dict[str, npt.NDArray[np.float32]]]:
        """Yield the mixture (channels, samples) under every stem's name."""
        del sample_rate
        for start in range(0, mixture.shape[1], BLOCK):
            block = mixture[:, start : start + BLOCK]
            yield dict.fromkeys(self.stems, block)
