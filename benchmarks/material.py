"""The songs of a prepared folder, memory-mapped, so that training reads only drawn excerpts."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
import soundfile

Stems = Mapping[str, np.ndarray]


def mapped_songs(
    folder: Path, cache_folder: Path | None = None, stem: str = "vocals"
) -> dict[str, Callable[[], Stems]]:
    """For each name, a function that returns a song's stems, int16 (2, samples), memory-mapped.

    Parameters
    ----------
    folder
        Holds a folder of FLAC or WAV files for each song, as the data set `rendered` does.
    cache_folder
        Folder for the decoded samples; by default in the system's temporary folder. A file that
        was changed, or one of the same name in another folder, is decoded again.
    stem
        Songs without this stem are left out.
    """
    raw = cache_folder or Path(tempfile.gettempdir()) / "benchbench-mapped-songs"
    songs = sorted(path for path in folder.iterdir() if (path / f"{stem}.flac").is_file())
    return {song.name: cache(partial(_mapped, song, raw)) for song in songs}


def _mapped(song: Path, raw: Path) -> Stems:
    return {path.stem: _decoded(path, raw) for path in sorted(song.glob("[!.]*.flac"))}


def _decoded(path: Path, raw: Path) -> np.ndarray:
    """The samples of a file, from the cache if it holds them."""
    about = path.stat()
    identity = f"{path.resolve()} {about.st_size} {about.st_mtime_ns}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    target = raw / path.parent.name / f"{path.stem}-{digest}.npy"
    if not target.is_file():
        samples, _ = soundfile.read(path, dtype="int16", always_2d=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may decode the same file: each writes a file of its own first.
        fresh = target.with_suffix(f".{os.getpid()}.npy")
        np.save(fresh, np.ascontiguousarray(samples.T))
        fresh.replace(target)
    mapped: np.ndarray = np.load(target, mmap_mode="r")
    return mapped
