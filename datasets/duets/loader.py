"""The songs of `duets`: two singers of the neighbouring data set `rendered` sing at the same time.

This file is loaded by its path, so it imports `rendered`'s package `studio` under a private name.
"""

import importlib
import importlib.util
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from benchbench.errors import UsageError

__all__ = ["SAMPLE_RATE", "SONGS", "VERSION", "Duet", "prepare", "render", "render_duet"]

VERSION = 1
"""Increased whenever any song changes."""
SAMPLE_RATE = 44100

_FOLDER = Path(__file__).resolve().parents[1] / "rendered" / "studio"
_PACKAGE = f"_duets_studio_{zlib.crc32(str(_FOLDER).encode()):08x}"
_SEED = 20
_SIZES = {"train": 112, "validation": 8, "test": 40}
_LEVEL_DB = 3.0
"""The second voice is up to so much louder or softer than the first."""
_PEAK = 0.8

FORMANT = "formant"
"""The voice that `synth` sings with; its tract and breath are drawn for each song."""


@dataclass(frozen=True, slots=True)
class Duet:
    """One song: its split, the voices of both singers, its seed, and whether a band plays."""

    name: str
    split: str
    voices: tuple[str, str]
    seed: int
    band: bool


def _studio(module: str) -> Any:
    """Import a module of `rendered`'s package."""
    if _PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            _PACKAGE, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
        )
        if spec is None or spec.loader is None or not _FOLDER.is_dir():
            raise ImportError(f"the studio's package is not at {_FOLDER}; reinstall benchbench")
        package: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[_PACKAGE] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{_PACKAGE}.{module}")


def _duets() -> tuple[Duet, ...]:
    """The list of songs; every pair of voices of a split comes up in turn."""
    speakers = _studio("materials").SPEAKERS
    listed = []
    for number, (split, count) in enumerate(_SIZES.items()):
        voices = (*speakers[split], FORMANT)
        pairs = [(a, b) for i, a in enumerate(voices) for b in voices[i:] if a != b or a == FORMANT]
        order = np.random.default_rng([_SEED, number]).permutation(len(pairs))
        for index in range(count):
            first, second = pairs[int(order[index % len(pairs)])]
            chosen = (second, first) if index % 2 else (first, second)
            seed = 100_000 * (number + 1) + index
            name = f"{split}-{index:03d}-{_word(chosen[0])}-{_word(chosen[1])}"
            listed.append(Duet(name, split, chosen, seed, band=index % 4 >= 2))
    return tuple(listed)


def _word(voice: str) -> str:
    """A voice as part of a song's name."""
    return voice.lower().replace("_", "")


_orders = {duet.name: duet for duet in _duets()}
SONGS: tuple[str, ...] = tuple(_orders)
"""Names, safe as folder names, in the order of rendering."""


def render_duet(name: str) -> dict[str, npt.NDArray[np.int16]]:
    """Render one song's stems; the same name gives the same music with the same packages.

    Returns
    -------
    dict of str to ndarray
        int16 (2, samples) at SAMPLE_RATE: voice-1 (the louder one), voice-2, and in every second
        song ``other``, a band. Their sum is the mixture.

    Raises
    ------
    KeyError
        If there is no such song.
    UsageError
        If a package is missing; the message names it.
    """
    return render(name)[0]


def render(name: str) -> tuple[dict[str, npt.NDArray[np.int16]], dict[str, str]]:
    """Render one song: its stems, see `render_duet`, and the singer of each voice."""
    if name not in _orders:
        raise KeyError(f"no song {name!r}; there are {SONGS[0]}, {SONGS[1]} ... ({len(SONGS)})")
    duet = _orders[name]
    _require_packages({voice for voice in duet.voices if voice != FORMANT})
    random = np.random.Generator(np.random.PCG64([_SEED, duet.seed]))
    arrangement, tunes = _studio("arrangement"), _studio("tunes")
    song = arrangement.any_song(duet.seed, float(random.uniform(9.0, 12.0)), random)
    parts, beats = arrangement.backing(song, random)
    voices = []
    for voice in duet.voices:
        singer = arrangement.any_singer(random)
        tune = tunes.made(parts, beats, singer.lowest, singer.highest, random)
        voices.append(_sung(voice, tune, singer, song.seconds, random))
    level = _studio("desk").loudness
    gain = 10.0 ** (float(random.uniform(-_LEVEL_DB, _LEVEL_DB)) / 20.0)
    voices[1] *= gain * level(voices[0]) / (level(voices[1]) + 1e-9)
    order = sorted((0, 1), key=lambda place: -float(level(voices[place])))
    stems = {f"voice-{number}": voices[place] for number, place in enumerate(order, 1)}
    singers = {f"voice-{number}": duet.voices[place] for number, place in enumerate(order, 1)}
    if duet.band:
        band = np.sum(list(_studio("songs").coded(song).values()), axis=0)
        stems["other"] = band * level(stems["voice-1"]) / (level(band) + 1e-9)
    length = min(sound.shape[1] for sound in stems.values())
    peak = np.abs(np.sum([sound[:, :length] for sound in stems.values()], axis=0)).max()
    scale = _PEAK / max(peak, *(np.abs(sound).max() for sound in stems.values()))
    scaled = {
        stem: np.round(sound[:, :length] * scale * 32767.0).astype(np.int16)
        for stem, sound in stems.items()
    }
    return scaled, singers


def _sung(
    voice: str, tune: list[Any], singer: Any, seconds: float, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """A tune by a voice, float64 (2, samples), in a room."""
    songs = _studio("songs")
    if voice == FORMANT:
        sound = songs.recorded_formant(tune, singer, seconds, random)
    else:
        sound = _studio("speaking").spoken_by(voice, tune, singer, seconds, random)
    return np.asarray(songs.in_room(sound, random))


def prepare(folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
    """Write every song as ``<split>/<song>/<stem>.flac``, 16 bit, into `folder`, and ``singers.csv``.

    Raises
    ------
    UsageError
        If a package is missing.
    """
    import soundfile

    _require_packages({v for duet in _orders.values() for v in duet.voices if v != FORMANT})
    lines = ["song,voice-1,voice-2"]
    for number, (name, duet) in enumerate(_orders.items(), 1):
        target = folder / duet.split / name
        target.mkdir(parents=True)
        stems, singers = render(name)
        lines.append(",".join((name, singers["voice-1"], singers["voice-2"])))
        for stem, audio in stems.items():
            soundfile.write(target / f"{stem}.flac", audio.T, SAMPLE_RATE, subtype="PCM_16")
        tell(f"Song {number} of {len(SONGS)}: {name}")
    (folder / "singers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _require_packages(voices: set[str]) -> None:
    """Refuse if a voice's package or pyworld is not installed."""
    packages = _studio("materials").missing_voices(voices)
    modules = [name for name in ("mido", "pyworld") if importlib.util.find_spec(name) is None]
    if modules or packages:
        ways = [f"apt-get install {' '.join(packages)}"] if packages else []
        ways += ["pip install 'benchbench-audio[rendered]'"] if modules else []
        raise UsageError(
            f"The data set duets is made from packages that are not installed: "
            f"{', '.join([*packages, *modules])}.",
            hint=f"On Debian: `{'` and `'.join(ways)}`.",
        )
