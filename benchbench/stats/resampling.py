"""How often each track is drawn in each bootstrap resample, kept between calls.

The boards of a report have the same tracks, so the same counts serve them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Resampling", "resampling"]

Floats = npt.NDArray[np.float64]

_CELLS = 2_000_000  # resampling counts held at a time as float64: 16 MB
_PATTERNS = 4096  # patterns of missing values whose counts are kept: at most 64 MB


@dataclass(frozen=True, slots=True)
class Resampling:
    """Counts of draws, of shape (resamples, tracks), in the narrowest integer type.

    Parameters
    ----------
    counts
        How often each track is drawn in each resample; each row sums to the number of tracks.
    """

    counts: npt.NDArray[np.unsignedinteger]
    _with_value: dict[bytes, npt.NDArray[np.float32]] = field(default_factory=dict)

    def weights(self) -> Iterator[tuple[slice, Floats]]:
        """The counts as float64, a part of the resamples at a time, with its place."""
        resamples, tracks = self.counts.shape
        step = max(1, _CELLS // max(tracks, 1))
        for start in range(0, resamples, step):
            part = slice(start, min(start + step, resamples))
            yield part, self.counts[part].astype(np.float64)

    def with_value(self, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """How many of the drawn tracks have a value, of shape (resamples, columns).

        Parameters
        ----------
        present
            Whether a track has a value, of shape (tracks, columns). The series of a report lack
            the same tracks, those on which a model failed, so each pattern is counted once.
        """
        keys = [row.tobytes() for row in np.packbits(present.T, axis=1)]
        new = {key: column for column, key in enumerate(keys) if key not in self._with_value}
        if new:
            if len(self._with_value) + len(new) > _PATTERNS:
                self._with_value.clear()
                new = {key: column for column, key in enumerate(keys)}
            counted = self._counted(present[:, list(new.values())])
            self._with_value.update(zip(new, counted, strict=True))
        answer = np.empty((len(self.counts), len(keys)), np.float32)
        for column, key in enumerate(keys):
            answer[:, column] = self._with_value[key]
        return answer

    def _counted(self, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """Drawn tracks with a value, of shape (columns, resamples); exact in single precision."""
        answer = np.full((present.shape[1], len(self.counts)), len(present), np.float32)
        gaps = np.flatnonzero(~present.all(axis=0))
        if gaps.size:
            chosen = present[:, gaps].astype(np.float32)
            for part, weights in self.weights():
                answer[gaps, part] = (weights.astype(np.float32) @ chosen).T
        return answer


@lru_cache(maxsize=2)
def resampling(
    tracks: int, resamples: int, seed: int, kind: Literal["int32", "int64"]
) -> Resampling:
    """The draws of `tracks` tracks.

    Parameters
    ----------
    tracks, resamples, seed
        Number of tracks, number of resamples, and seed.
    kind
        The type of the random integers. The two types give different draws from one seed.

    Examples
    --------
    >>> draws = resampling(3, 2, 0, "int32")
    >>> draws.counts.sum(axis=1).tolist()
    [3, 3]
    """
    generator = np.random.default_rng(seed)
    counts: npt.NDArray[np.unsignedinteger] = np.empty((resamples, tracks), np.uint8)
    step = max(1, _CELLS // max(tracks, 1))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        picks = generator.integers(0, max(tracks, 1), size=(size, tracks), dtype=np.dtype(kind))
        picks += (np.arange(size) * tracks).astype(kind)[:, None]
        drawn = np.bincount(picks.ravel(), minlength=size * tracks).reshape(size, tracks)
        if drawn.max(initial=0) > np.iinfo(counts.dtype).max:
            counts = counts.astype(np.uint32)
        counts[start : start + size] = drawn
    return Resampling(counts)
