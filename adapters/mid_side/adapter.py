"""Vocals are mixed to the centre, so the mean of the channels stands for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]

BLOCK = 1 << 20


class Adapter:
    """Splits a mixture into its mid and its side, block by block."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Nothing to load."""

    def separate(self, mixture: Audio, sample_rate: int) -> Iterator[dict[str, Audio]]:
        """Yield the mean of the channels, and what is left (channels, samples)."""
        del sample_rate
        for start in range(0, mixture.shape[1], BLOCK):
            block = mixture[:, start : start + BLOCK]
            mid = np.broadcast_to(block.mean(axis=0, dtype=np.float32), block.shape)
            yield {"vocals": mid, "accompaniment": block - mid}
