"""Units: classes of frames that k-means finds, either of level-free band spectra or of a network's vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...spectrum import Numbers

ROUNDS = 20

Units = npt.NDArray[np.int32]


class Codebook:
    """Centres of classes.

    Parameters
    ----------
    centres
        float32 (classes, features).
    """

    def __init__(self, centres: Numbers) -> None:
        self.centres = centres

    @classmethod
    def fit(cls, features: Numbers, classes: int, rng: np.random.Generator) -> Codebook:
        """Find classes by k-means, whose first centres are drawn far from one another.

        Parameters
        ----------
        features
            float32 (frames, features).
        classes
            How many.
        rng
            Source of all randomness.

        Raises
        ------
        ValueError
            There are fewer frames than classes.
        """
        if len(features) < classes:
            raise ValueError(f"{len(features)} frames cannot be put into {classes} classes.")
        centres = features[[int(rng.integers(len(features)))]]
        nearest = np.square(features - centres[0]).sum(axis=1)
        while len(centres) < classes:
            total = float(nearest.sum())
            weights = nearest / total if total > 0.0 else None
            chosen = features[int(rng.choice(len(features), p=weights))]
            centres = np.concatenate([centres, chosen[None]])
            nearest = np.minimum(nearest, np.square(features - chosen).sum(axis=1))
        book = cls(centres)
        for _ in range(ROUNDS):
            units = book.units(features)
            counts = np.bincount(units, minlength=classes)
            sums = np.zeros_like(book.centres)
            np.add.at(sums, units, features)
            moved = np.where(
                counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], book.centres
            )
            if np.allclose(moved, book.centres, atol=1e-4):
                break
            book.centres = moved.astype(np.float32)
        return book

    def units(self, features: Numbers) -> Units:
        """Class of every frame: float32 (..., features) to int32 (...)."""
        flat = features.reshape(-1, features.shape[-1])
        distances = np.square(self.centres).sum(axis=1) - 2.0 * flat @ self.centres.T
        units: Units = distances.argmin(axis=1).astype(np.int32).reshape(features.shape[:-1])
        return units
