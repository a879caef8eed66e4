"""A reference and its estimate as two stems that are read together, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.signals import Float64

__all__ = ["Pair"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One target's reference and estimate.

    Parameters
    ----------
    evaluation
        The track and the estimates of one model.
    index
        The target's index in `Evaluation.targets`.
    """

    evaluation: Evaluation
    index: int

    @property
    def samples(self) -> int:
        """Length of the track in samples."""
        return self.evaluation.references.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (2, channels, stop - start): reference first, zero-padded."""
        references, row = self.evaluation.references, int(self.evaluation.rows[self.index])
        estimate = self.evaluation.estimates.stem(self.index, start, stop)
        return np.stack([references.stem(row, start, stop), estimate])
