"""A track of a data set: the files of its stems, and its fingerprint. No audio is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Source", "Track", "fingerprint"]

EDGE = 1 << 16
"""Bytes at each end of a file that are hashed into a track's fingerprint."""


@dataclass(frozen=True, slots=True)
class Source:
    """One stem: a file and the number of its audio stream; `added` files are summed with it."""

    path: Path
    stream: int = 0
    added: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[tuple[Path, int], ...]:
        """All files of the stem with their streams."""
        return ((self.path, self.stream), *((path, 0) for path in self.added))


@dataclass(frozen=True, slots=True)
class Track:
    """A track of a data set.

    Parameters
    ----------
    name, dataset, split
        Its name, unique in the data set; its data set and split.
    stems
        Stem name -> source.
    mixture
        The shipped mixture; None: the mixture is the sum of the stems.
    quantise
        Whether decoded audio is rounded to 16 bit.
    fingerprint
        A hash that changes when the audio changes.
    flags
        Known errors of the track, one word each.
    problem
        Why it cannot be read; "" if no problem is known.
    """

    name: str
    dataset: str
    split: str
    stems: Mapping[str, Source]
    mixture: Source | None
    quantise: bool
    fingerprint: str
    flags: tuple[str, ...] = ()
    problem: str = ""


def fingerprint(sources: Iterable[tuple[str, Source]]) -> str:
    """A hash over the sizes and both ends of all files: fast, and sufficient to detect a change."""
    total = hashlib.sha256()
    for name, source in sorted(sources, key=lambda pair: pair[0]):
        for path, stream in source.files:
            size = path.stat().st_size
            total.update(f"{name} {stream} {size}\n".encode())
            with path.open("rb") as file:
                total.update(file.read(EDGE))
                if size > 2 * EDGE:
                    file.seek(-EDGE, os.SEEK_END)
                    total.update(file.read(EDGE))
    return total.hexdigest()[:16]
