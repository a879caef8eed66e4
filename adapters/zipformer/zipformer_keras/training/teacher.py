"""Training stems from another separator: it separates songs without stems, and the results are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..spectrum import Samples
from .augmentation import ACCOMPANIMENT, BASS, DRUMS, MIXTURE, RATE, REST, VOCALS, Song

TAUGHT = ((VOCALS, DRUMS, BASS, REST), (VOCALS, ACCOMPANIMENT))
"""Stems that a teacher may give; the last is what the others leave."""


def taught(
    songs: Sequence[Song], teacher: str, folder: Path, tell: Callable[[str], None]
) -> list[Song]:
    """Songs with the stems that a separator makes of them.

    Stems are kept by the teacher's name and the song's samples: when a run is continued, a song that
    was added, and every song with another teacher, is separated anew. The last stem, ``other`` or
    ``accompaniment``, is the mixture without the other stems, so that all of them add up to it.

    Parameters
    ----------
    songs
        Functions that give ``mixture``.
    teacher
        ``adapter`` or ``adapter:variant``; its stems are the four, or vocals and accompaniment.
    folder
        Gets a folder for each song and teacher, with an int16 array for each stem.
    tell
        Called with a line for each song.

    Raises
    ------
    ValueError
        The teacher has other stems.
    """
    made: list[Song] = []
    for number, song in enumerate(songs):
        mixture = np.asarray(song()[MIXTURE])
        place = folder / _key(mixture, teacher)
        if not (place / "done").is_file():
            tell(f"{teacher} separates song {number + 1} of {len(songs)}")
            _separated(mixture, teacher, place)
        made.append(partial(_mapped, place))
    return made


def _key(mixture: Samples, teacher: str) -> str:
    """Names the stems that a teacher makes of these samples."""
    digest = hashlib.sha256(teacher.encode())
    for channel in mixture:
        digest.update(np.ascontiguousarray(channel).data)
    return digest.hexdigest()[:24]


def _separated(mixture: Samples, teacher: str, place: Path) -> None:
    import benchbench
    from benchbench.io.audio.audio_files import read, write_wav

    place.mkdir(parents=True, exist_ok=True)
    write_wav(place / "mixture.wav", mixture, RATE)
    files = benchbench.separate(teacher, [place / "mixture.wav"], place / "stems")["mixture"]
    known = [stems for stems in TAUGHT if set(stems) == set(files)]
    if not known:
        raise ValueError(
            f"The teacher {teacher} gives {', '.join(files)}; it must give vocals, drums, bass and "
            "other, or vocals and accompaniment."
        )
    rest = mixture.copy()
    for stem in known[0]:
        sound = rest if stem == known[0][-1] else read(files[stem])[0]
        rest = rest - sound
        steps = np.clip(np.round(sound * 32768.0), -32768, 32767)
        np.save(place / f"{stem}.npy", steps.astype(np.int16))
        files[stem].unlink()
    (place / "mixture.wav").unlink()
    (place / "done").touch()


def _mapped(place: Path) -> Mapping[str, npt.NDArray[Any]]:
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(place.glob("*.npy"))}
