"""Where each file of a bundle lies, and which other files it may not hold."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final

from benchbench.io.names import file_name, is_file_name
from benchbench.results.bundle.manifest import MANIFEST, SIGNATURE

__all__ = ["is_bundle_path", "stem_excerpt", "track_excerpt"]

_PATHS: Final = (
    re.compile(r"scores/model=[^/]+/dataset=[^/]+/[^/]+\.parquet"),
    re.compile(r"separations/[^/]+\.parquet"),
    re.compile(r"runs/[^/]+/run\.json"),
    re.compile(r"excerpts/(?:tracks|separations)/[^/]+/[^/]+\.flac"),
)


def is_bundle_path(path: str) -> bool:
    """Whether a file of that path belongs to a bundle; its name can lead nowhere else.

    Examples
    --------
    >>> is_bundle_path("runs/20260101T000000-abcdef/run.json"), is_bundle_path("runs/../x/run.json")
    (True, False)
    """
    if path in (MANIFEST, SIGNATURE):
        return True
    parts = PurePosixPath(path).parts
    return (
        any(pattern.fullmatch(path) for pattern in _PATHS)
        and "/".join(parts) == path
        and all(is_file_name(part) or _is_partition(part) for part in parts)
    )


def _is_partition(part: str) -> bool:
    """Whether it is the name of a folder of scores: a column and a quoted value."""
    return re.fullmatch(r"(?:model|dataset)=[\w.~%-]{1,240}", part, re.ASCII) is not None


def track_excerpt(root: Path, track_hash: str, name: str) -> Path:
    """The path of an excerpt of a track's mixture or of one of its references."""
    return root / "excerpts" / "tracks" / file_name(track_hash) / f"{file_name(name)}.flac"


def stem_excerpt(root: Path, separation_id: str, stem: str) -> Path:
    """The path of an excerpt of one stem of a separation."""
    return root / "excerpts" / "separations" / file_name(separation_id) / f"{file_name(stem)}.flac"
