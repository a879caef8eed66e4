"""Sampling rates other than 44.1 kHz: blocks in, blocks out, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import soxr

Samples = npt.NDArray[np.float32]


class Resampler:
    """A resampler that remembers where it was, so that blocks join without a seam.

    Parameters
    ----------
    source, target
        Sampling rates in Hz. Equal rates pass the samples through untouched.
    channels
        Number of channels.
    """

    def __init__(self, source: int, target: int, channels: int) -> None:
        self._stream = (
            None
            if source == target
            else soxr.ResampleStream(source, target, channels, dtype="float32", quality="VHQ")
        )

    def push(self, block: Samples, *, last: bool = False) -> Samples:
        """Resample one block.

        Parameters
        ----------
        block
            float32 (channels, samples).
        last
            Whether the signal ends here; what the filter still holds then comes out.

        Returns
        -------
        numpy.ndarray
            float32 (channels, samples), of a length that varies with the filter's state.
        """
        if self._stream is None:
            return block
        resampled = self._stream.resample_chunk(np.ascontiguousarray(block.T), last=last)
        return np.ascontiguousarray(resampled.T, dtype=np.float32)


def resample_blocks(
    blocks: Iterable[Samples], source: int, target: int, channels: int
) -> Iterator[Samples]:
    """Resample a signal that comes in blocks.

    Parameters
    ----------
    blocks
        Consecutive float32 (channels, samples).
    source, target, channels
        See `Resampler`.

    Yields
    ------
    numpy.ndarray
        Consecutive float32 (channels, samples).
    """
    resampler = Resampler(source, target, channels)
    for block in blocks:
        yield resampler.push(block)
    if source != target:
        yield resampler.push(np.zeros((channels, 0), np.float32), last=True)
