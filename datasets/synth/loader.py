"""The songs of the demo data set, rendered on demand: names, descriptions and stems.

This file is loaded by its path, so it imports its package `songmaker` under a
private name (a different one for each copy of this folder) instead of relying
on the import path.
"""

import importlib
import importlib.util
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

__all__ = [
    "DESCRIPTIONS",
    "SAMPLE_RATE",
    "SONGS",
    "STEMS",
    "VERSION",
    "Description",
    "prepare",
    "render_song",
]

VERSION = 1
"""Increased whenever any song changes, because scores are then not comparable."""

_FOLDER = Path(__file__).resolve().parent / "songmaker"
_PACKAGE = f"_songmaker_{zlib.crc32(str(_FOLDER).encode()):08x}"


def _songmaker(module: str) -> ModuleType:
    """Import a module of the package beside this file."""
    if _PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            _PACKAGE, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(
                f"the song generator's package is not at {_FOLDER}; reinstall benchbench"
            )
        package = importlib.util.module_from_spec(spec)
        sys.modules[_PACKAGE] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{_PACKAGE}.{module}")


_songs = {song.name: song for song in _songmaker("songs").SONGS}

SONGS: tuple[str, ...] = tuple(_songs)
"""Names, safe as folder names."""

SAMPLE_RATE: int = _songmaker("signals").SAMPLE_RATE
STEMS: tuple[str, ...] = _songmaker("signals").STEMS


@dataclass(frozen=True, slots=True)
class Description:
    """A readable description of a song: `seconds` long, `bpm` beats per minute, in `key`."""

    style: str
    bpm: float
    key: str
    singer: str
    instruments: str
    seconds: float


_NOTES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")

DESCRIPTIONS: dict[str, Description] = {
    name: Description(
        style=song.style,
        bpm=song.bpm,
        key=f"{_NOTES[song.tonic % 12]} {song.mode}",
        singer=song.singer.description,
        instruments=", ".join(("drums", "bass", *song.layers)),
        seconds=round(song.seconds, 1),
    )
    for name, song in _songs.items()
}


def render_song(name: str) -> dict[str, npt.NDArray[np.int16]]:
    """Render one song's stems; the same name always gives the same music.

    Parameters
    ----------
    name : one of SONGS.

    Returns
    -------
    dict of str to ndarray
        For each of STEMS (drums, bass, other, vocals) int16 (2, samples) at
        SAMPLE_RATE. Their sum, the mixture, stays within the range of int16.

    Raises
    ------
    KeyError
        If there is no such song; the message lists the existing songs.
    """
    if name not in _songs:
        raise KeyError(f"no song {name!r}; there are {', '.join(SONGS)}")
    stems: dict[str, npt.NDArray[np.int16]] = _songmaker("render").render(_songs[name])
    return stems


def prepare(folder: Path) -> None:
    """Write every song as ``<song>/<stem>.wav``, 16 bit, into `folder`."""
    import soundfile

    for name in SONGS:
        for stem, audio in render_song(name).items():
            path = folder / name / f"{stem}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, audio.T, SAMPLE_RATE, subtype="PCM_16")
