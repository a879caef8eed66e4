"""Hashes: short ones for names, and digests of files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def short_hash(*parts: object) -> str:
    """A hash of twenty hexadecimal digits over any values."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:20]


def digest(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file, in hexadecimal, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
