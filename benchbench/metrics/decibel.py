"""Ratios of energies in decibels, capped, with reasons for missing or doubtful values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchbench.metrics.signals import Float64

__all__ = [
    "PROJECTION_CAP_DB",
    "SDR_CAP_DB",
    "Reasons",
    "beside",
    "blank",
    "masked",
    "noted",
    "ratio_db",
]

Reasons = npt.NDArray[np.object_]

SDR_CAP_DB = 300.0
"""Above this a ratio of two sums of float64 squares consists of rounding errors."""

PROJECTION_CAP_DB = 150.0
"""Above this a ratio from a solved system of equations consists of rounding errors."""


def ratio_db(signal: Float64, noise: Float64, cap: float = SDR_CAP_DB) -> tuple[Float64, Reasons]:
    """10 log10(signal / noise), limited to the range from -`cap` to `cap`.

    An infinite ratio becomes the cap, with the reason ``capped``. Where both energies are zero the
    estimate has no error, so the value is ``+cap`` as well.
    """
    signal, noise = np.broadcast_arrays(
        np.asarray(signal, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        values = 10.0 * (np.log10(signal) - np.log10(noise))
    values = np.where(noise <= 0.0, np.inf, values)
    beyond = ~(np.abs(values) <= cap)
    return np.clip(values, -cap, cap), noted(blank(values.shape), beyond, "capped")


def blank(shape: tuple[int, ...]) -> Reasons:
    """An array of `shape` without reasons."""
    return np.full(shape, None, dtype=object)


def noted(reasons: Reasons, where: npt.NDArray[np.bool_], reason: str) -> Reasons:
    """`reasons` with `reason` wherever `where` is true."""
    out = reasons.copy()
    out[where] = reason
    return out


def beside(reasons: Reasons, where: npt.NDArray[np.bool_], reason: str) -> Reasons:
    """`reasons` with `reason` wherever `where` is true and no reason is set yet."""
    bare = np.array([given is None for given in reasons.flat], dtype=bool).reshape(reasons.shape)
    return noted(reasons, where & bare, reason)


def masked(
    values: Float64, reasons: Reasons, where: npt.NDArray[np.bool_], reason: str
) -> tuple[Float64, Reasons]:
    """The values with NaN and `reason` wherever `where` is true."""
    return np.where(where, np.nan, values), noted(reasons, where, reason)
