"""p values adjusted for many tests at once: they hold for a whole table of comparisons.

In a table, one row in twenty is "significant" by chance. Holm's correction is valid for any
dependence of the rows, but it is too conservative here, because rows over the same tracks are
strongly dependent (SDR and SI-SDR of one target rise and fall together). This module keeps the
dependence: if two models are equal, they are exchangeable on every track, so the signs of all
differences of a track, over all rows together, may be flipped. Every row is compared with the
distribution of the *largest* statistic of the table under such random flips.

Source: Westfall and Young, "Resampling-Based Multiple Testing" (1993), single-step max-T, with the
sign flips of Fisher's randomisation test.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from benchbench.stats.bootstrap import SEED

__all__ = ["FLIPS", "family_p"]

FLIPS: Final = 2000
_CELLS = 2_000_000  # signs held at a time

Floats = npt.NDArray[np.float64]


def family_p(gains: Floats, *, flips: int = FLIPS, seed: int = SEED) -> tuple[Floats, Floats]:
    """One-sided p values, adjusted for all columns, that columns lie above and below zero.

    Parameters
    ----------
    gains
        Shape (tracks, columns); NaN where a track has no difference.
    flips, seed
        Number of random flips, and their seed.

    Returns
    -------
    above, below
        Both of shape (columns,). If every column is centred on zero, the smallest value of `above`
        is below alpha in at most a share alpha of all tables; likewise for `below`.
    """
    filled = np.nan_to_num(gains)
    norm = np.sqrt((filled**2).sum(axis=0))
    scaled = np.divide(filled, norm, out=np.zeros_like(filled), where=norm > 0)
    observed = scaled.sum(axis=0)
    generator = np.random.default_rng(seed)
    count = max(len(gains), 1)
    highest, lowest = np.empty(flips), np.empty(flips)
    step = max(1, _CELLS // count)
    for start in range(0, flips, step):
        size = min(step, flips - start)
        signs = 2.0 * generator.integers(0, 2, size=(size, len(gains)), dtype=np.int8) - 1.0
        flipped = signs @ scaled
        highest[start : start + size] = flipped.max(axis=1, initial=-np.inf)
        lowest[start : start + size] = flipped.min(axis=1, initial=np.inf)
    # A flip that equals the data must not be smaller than it because of rounding.
    slack = 1e-12 * np.sqrt(count)
    above = _share(np.sort(highest), observed - slack)
    below = _share(np.sort(-lowest), -observed - slack)
    return np.where(norm > 0, above, 1.0), np.where(norm > 0, below, 1.0)


def _share(ranked: Floats, observed: Floats) -> Floats:
    """The share of flips that reach the observed statistic; the data count as one flip."""
    reached = len(ranked) - np.searchsorted(ranked, observed, side="left")
    return np.asarray((1 + reached) / (1 + len(ranked)), dtype=np.float64)
