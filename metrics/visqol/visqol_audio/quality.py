"""From similarity by band to a mean opinion score: the published support vector regression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["QualityModel"]

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class QualityModel:
    """A support vector regression with a Gaussian kernel.

    Parameters
    ----------
    vectors
        Support vectors, shape (vectors, features).
    weights
        Weights of the vectors, shape (vectors,).
    gamma, offset
        Width parameter of the kernel, and the value subtracted from the weighted sum.
    """

    vectors: Float64
    weights: Float64
    gamma: float
    offset: float

    @classmethod
    def read(cls, path: Path) -> QualityModel:
        """The model in a text file of libsvm."""
        head, _, body = path.read_text(encoding="ascii").partition("\nSV\n")
        facts = dict(line.split(" ", 1) for line in head.splitlines())
        rows = [line.split() for line in body.splitlines() if line.strip()]
        features = max(int(cell.partition(":")[0]) for row in rows for cell in row[1:])
        vectors = np.zeros((len(rows), features))
        for vector, row in zip(vectors, rows, strict=True):
            for cell in row[1:]:
                place, _, value = cell.partition(":")
                vector[int(place) - 1] = float(value)
        weights = np.array([float(row[0]) for row in rows])
        return cls(vectors, weights, float(facts["gamma"]), float(facts["rho"]))

    def score(self, similarity: Float64) -> float:
        """The mean opinion score, 1 to 5, of similarities by band."""
        distances = ((self.vectors - similarity) ** 2).sum(axis=1)
        found = float(self.weights @ np.exp(-self.gamma * distances)) - self.offset
        return min(max(found, 1.0), 5.0)
