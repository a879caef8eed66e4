"""The neurogram similarity index (NSIM) of spectrogram patches, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Patches", "similarity_map"]

Float64 = npt.NDArray[np.float64]

_CENTRE, _SIDE, _CORNER = 0.619485845753726, 0.0838251475442633, 0.0113033910173052
"""A Gaussian of 3 x 3 cells."""

_INTENSITY = 0.01**2
_STRUCTURE = 0.03**2 / 2.0


@dataclass(frozen=True, slots=True)
class Patches:
    """Patches of shape (..., bands, frames) with their local means and variances."""

    cells: Float64
    means: Float64
    variances: Float64

    @classmethod
    def of(cls, cells: Float64) -> Patches:
        """Patches with their moments computed."""
        means = _smoothed(cells)
        return cls(cells, means, _smoothed(cells * cells) - means * means)


def similarity_map(reference: Patches, estimate: Patches) -> Float64:
    """Similarity of each cell: intensity times structure (Hines and Harte 2012).

    Returns
    -------
    float64 of the broadcast shape of both; 1 for equal neighbourhoods
    """
    product = reference.means * estimate.means
    covariance = _smoothed(reference.cells * estimate.cells)
    covariance -= product
    intensity = (2.0 * product + _INTENSITY) / (reference.means**2 + estimate.means**2 + _INTENSITY)
    variance = reference.variances * estimate.variances
    scale = np.sqrt(np.maximum(variance, 0.0))  # rounding may make it negative
    return np.asarray(intensity * (covariance + _STRUCTURE) / (scale + _STRUCTURE))


def _smoothed(cells: Float64) -> Float64:
    """Weighted sums of cells and their neighbours; edge cells are repeated beyond the edges."""
    sides = np.empty_like(cells)
    sides[..., 1:-1] = cells[..., :-2] + cells[..., 2:]
    sides[..., 0] = cells[..., 0] + cells[..., 1]
    sides[..., -1] = cells[..., -2] + cells[..., -1]
    out = _CENTRE * cells
    out += _SIDE * sides
    near = _SIDE * cells
    near += _CORNER * sides
    out[..., 1:, :] += near[..., :-1, :]
    out[..., :-1, :] += near[..., 1:, :]
    out[..., 0, :] += near[..., 0, :]
    out[..., -1, :] += near[..., -1, :]
    return out
