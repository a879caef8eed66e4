"""What training makes small."""

from __future__ import annotations

from typing import Any

from keras import ops

LEVEL = 1e-3
"""Errors 30 dB below the mixture are as good as none; it also bounds the loss of silent stems."""


def error_energies(masks: Any, cells: Any, targets: Any, energy: Any, mask: str) -> Any:
    """Energy of what is wrong with every stem of every excerpt.

    Parameters
    ----------
    masks
        The network's answer, see `network.Network`.
    cells, targets, energy
        Of a `batches.Batch`.
    mask
        ``"magnitude"`` or ``"complex"``.

    Returns
    -------
    (excerpts, stems).
    """
    if mask == "magnitude":
        mixture = cells[:, :, None, :2]
        gained = ops.sum(masks * (masks * mixture - 2.0 * targets), axis=(1, 3, 4))
        return ops.maximum(gained + energy, 0.0)
    real, imaginary = cells[:, :, None, :2], cells[:, :, None, 2:]
    error_real = masks[:, :, 0] * real - masks[:, :, 1] * imaginary - targets[:, :, 0]
    error_imaginary = masks[:, :, 0] * imaginary + masks[:, :, 1] * real - targets[:, :, 1]
    return ops.sum(ops.square(error_real) + ops.square(error_imaginary), axis=(1, 3, 4))


def noise_to_mixture(errors: Any, cells: Any, mask: str) -> Any:
    """Mean of 10 log10 of error over mixture: the negative SDR but for a constant, with a floor.

    Parameters
    ----------
    errors
        (excerpts, stems).
    cells, mask
        See `error_energies`.
    """
    energies = cells[:, :, :2] if mask == "magnitude" else ops.square(cells)
    mixture = ops.sum(energies, axis=(1, 2, 3))[:, None] + 1e-6
    return 10.0 / 2.302585 * ops.mean(ops.log(errors / mixture + LEVEL))
