"""A track of a data set: where its stems lie, and what identifies them. No audio is read here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Source", "Track", "fingerprint"]

EDGE = 1 << 16
"""Bytes at each end of a file that go into a track's fingerprint."""


@dataclass(frozen=True, slots=True)
class Source:
    """One stem: a file and which of its audio streams; `added` files are summed up with it."""

    path: Path
    stream: int = 0
    added: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[tuple[Path, int], ...]:
        """Every file of the stem and its stream."""
        return ((self.path, self.stream), *((path, 0) for path in self.added))


@dataclass(frozen=True, slots=True)
class Track:
    """A track of a data set.

    Parameters
    ----------
    name, dataset, split
        Its name, unique in the data set, and where it belongs.
    stems
        Stem name to source.
    mixture
        The shipped mixture; None: the mixture is the sum of the stems.
    quantise
        Whether decoded audio is rounded to 16 bit.
    fingerprint
        Changes when the audio does.
    flags
        What the data set's makers or users say is wrong with it, in one word each.
    problem
        Why it cannot be read, in a sentence; "" where nothing is known to be wrong.
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
    """A hash over the sizes and both ends of all files: quick, and enough to see a change."""
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
