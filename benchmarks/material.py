"""The songs of a prepared folder, mapped, so that training touches only what it draws."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
import soundfile

Stems = Mapping[str, np.ndarray]


def mapped_songs(folder: Path, cache_folder: Path | None = None) -> dict[str, Callable[[], Stems]]:
    """Name to a function that gives a song's stems, int16 (2, samples), as memory maps.

    Parameters
    ----------
    folder
        Holds a folder of FLAC or WAV files for each song, as the data set `rendered` does.
    cache_folder
        Where the samples are kept for mapping; default: a folder in the system's scratch place.
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
