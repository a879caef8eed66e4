"""Spectra in a few wide bands without their level: what classes of frames and a singer's signature are made of."""

from __future__ import annotations

import numpy as np

from .spectrum import Numbers

BANDS = 48
FLOOR = 1e-9
"""Added to a band's mean energy."""


def band_spectra(cells: Numbers) -> Numbers:
    """Spectra of a mixture without its level.

    Parameters
    ----------
    cells
        float32 (..., frames, 3, cells): what the network takes in, see `spectrum.cells`.

    Returns
    -------
    numpy.ndarray
        float32 (..., frames, `BANDS`): decibels of bands, each as wide as the one below it times a
        constant, of left and right together; the mean over the bands of every frame is 0.
    """
    energy = cells[..., :2, :].sum(axis=-2)
    count = energy.shape[-1]
    edges = np.unique(np.round(np.geomspace(2, count, BANDS + 1)).astype(int))
    while edges.size < BANDS + 1:  # the lowest bands are one cell wide
        gaps = np.flatnonzero(np.diff(edges) > 1)
        edges = np.insert(edges, gaps[0] + 1, edges[gaps[0]] + 1)
    sums = np.add.reduceat(energy, edges[:-1], axis=-1)[..., :BANDS]
    levels = 10.0 * np.log10(sums / np.diff(edges) + FLOOR)
    level_free: Numbers = (levels - levels.mean(axis=-1, keepdims=True)).astype(np.float32)
    return level_free
