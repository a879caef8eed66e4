"""Compact relative positions: how far apart two frames are, finely near by, coarsely far off.

Source: Yao et al., "Zipformer: A faster and better encoder for automatic speech recognition",
ICLR 2024 (arXiv 2310.11230), section 3.2.1, and its public implementation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

POSITION_CHANNELS = 48


def compact_positions(
    frames: int, keys: int | None = None, channels: int = POSITION_CHANNELS
) -> npt.NDArray[np.float32]:
    """Embedding of every distance between a query and a key.

    Parameters
    ----------
    frames
        Number of queries.
    keys
        Number of keys, of which the last stand where the queries stand and the first lie
        before them; None: as many as queries.
    channels
        Size of an embedding, even.

    Returns
    -------
    numpy.ndarray
        float32 (frames + keys - 1, channels), one row a distance, from 1 - keys to frames - 1.
        Distances x are compressed to sqrt(D) sgn(x) (ln(|x| + sqrt(D)) - ln sqrt(D)) and bent
        to an angle, atan(2 pi x / D); channels are the cosines and sines of its multiples, and
        the last channel is 1.
    """
    distance = np.arange(1 - (keys or frames), frames, dtype=np.float64)
    root = np.sqrt(channels)
    compressed = root * np.sign(distance) * (np.log(np.abs(distance) + root) - np.log(root))
    angle = np.arctan(compressed * 2.0 * np.pi / channels)
    multiples = angle[:, None] * np.arange(1, channels // 2 + 1)
    table = np.empty((distance.size, channels), np.float32)
    table[:, 0::2] = np.cos(multiples)
    table[:, 1::2] = np.sin(multiples)
    table[:, -1] = 1.0
    return table


def chunk_mask(frames: int, chunk: int, left: int) -> npt.NDArray[np.bool_]:
    """Which keys a query may see in live mode: those of its chunk and of some before it.

    Parameters
    ----------
    frames
        Length of the sequence.
    chunk
        Frames of a chunk.
    left
        Chunks before a frame's own that it sees.

    Returns
    -------
    numpy.ndarray
        bool (frames, frames): [query, key].
    """
    number = np.arange(frames) // chunk
    behind = number[:, None] - number[None, :]
    seen: npt.NDArray[np.bool_] = (behind >= 0) & (behind <= left)
    return seen
