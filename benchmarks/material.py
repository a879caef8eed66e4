"""The songs of a prepared folder, memory-mapped, so that training reads only drawn excerpts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
import soundfile

Stems = Mapping[str, np.ndarray]


def mapped_songs(folder: Path, cache_folder: Path | None = None) -> dict[str, Callable[[], Stems]]:
    """For each name, a function that returns a song's stems, int16 (2, samples), memory-mapped.

    Parameters
    ----------
    folder
        Holds a folder of FLAC or WAV files for each song, as the data set `rendered` does.
    cache_folder
        Folder for the decoded samples; by default in the system's temporary folder.
    """
    raw = cache_folder or Path(tempfile.gettempdir()) / "benchbench-mapped-songs"
    songs = sorted(path for path in folder.iterdir() if (path / "vocals.flac").is_file())
    return {
        song.name: cache(partial(_mapped, song, raw / folder.name / song.name)) for song in songs
    }


def _mapped(song: Path, raw: Path) -> Stems:
    raw.mkdir(parents=True, exist_ok=True)
    stems = {}
    for path in sorted(song.glob("*.flac")):
        target = raw / f"{path.stem}.npy"
        if not target.is_file():
            samples, _ = soundfile.read(path, dtype="int16", always_2d=True)
            np.save(raw / f".{path.stem}.npy", np.ascontiguousarray(samples.T))
            (raw / f".{path.stem}.npy").replace(target)
        stems[path.stem] = np.load(target, mmap_mode="r")
    return stems
