"""A warning in the form of a separator: every stem is silent, and plain SDR does not mind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt


class Adapter:
    """Returns zeros."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Choose the stems."""
        del weights, device, options
        rest = ("accompaniment",) if variant == "2stems" else ("drums", "bass", "other")
        self.stems = ("vocals", *rest)

    def separate(
        self, mixture: npt.NDArray[np.float32], sample_rate: int
    ) -> dict[str, npt.NDArray[np.float32]]:
        """One view of zeros (channels, samples) for all stems; it takes no memory."""
        del sample_rate
        zeros = np.broadcast_to(np.float32(0), mixture.shape)
        return dict.fromkeys(self.stems, zeros)
