"""Which frames are hidden from the network, and what stands in their place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Hidden = npt.NDArray[np.float32]


def spans(size: int, frames: int, share: float, span: int, rng: np.random.Generator) -> Hidden:
    """Hide spans of frames until about a share of each excerpt is hidden.

    Parameters
    ----------
    size, frames
        Excerpts, and frames of each.
    share
        Of the frames that are hidden, between 0 and 1.
    span
        Frames of a span; spans may overlap.
    rng
        Source of all randomness.

    Returns
    -------
    numpy.ndarray
        float32 (size, frames): 1 where a frame is hidden. At least one frame of each excerpt is.
    """
    hidden = np.zeros((size, frames), np.float32)
    for row in hidden:
        while row.mean() < share:
            first = int(rng.integers(1 - span, frames))
            row[max(first, 0) : first + span] = 1.0
    return hidden


def patches(
    size: int,
    frames: int,
    cells: int,
    share: float,
    patch: tuple[int, int],
    rng: np.random.Generator,
) -> Hidden:
    """Hide rectangles of a grid.

    Parameters
    ----------
    size, frames, cells
        Excerpts, frames of each, and cells of a frame.
    share
        Of the rectangles that are hidden.
    patch
        Frames and cells of a rectangle.
    rng
        Source of all randomness.

    Returns
    -------
    numpy.ndarray
        float32 (size, frames, cells): 1 where a cell is hidden.
    """
    rows, columns = -(-frames // patch[0]), -(-cells // patch[1])
    count = max(round(share * rows * columns), 1)
    grid = np.zeros((size, rows * columns), np.float32)
    for row in grid:
        row[rng.permutation(rows * columns)[:count]] = 1.0
    whole = grid.reshape(size, rows, columns).repeat(patch[0], axis=1).repeat(patch[1], axis=2)
    hidden: Hidden = whole[:, :frames, :cells]
    return hidden
