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

__all__ = [
    "SAMPLE_RATE",
    "SONGS",
    "VERSION",
    "Duet",
    "Rendered",
    "prepare",
    "render",
    "render_duet",
]

VERSION = 2
"""Increased whenever any song or example changes."""
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


@dataclass(frozen=True, slots=True)
class Rendered:
    """A song.

    Parameters
    ----------
    stems
        int16 (2, samples), see `render_duet`.
    singers
        The voice of ``voice-1`` and of ``voice-2``. A singer is a voice whose formants, breath and
        range are drawn for the song: the same voice in another song is another singer.
    examples
        int16 (2, samples): the same two singers, each alone, another tune in another room.
    """

    stems: dict[str, npt.NDArray[np.int16]]
    singers: dict[str, str]
    examples: dict[str, npt.NDArray[np.int16]]


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
    return render(name).stems


def render(name: str) -> Rendered:
    """Render one song, see `render_duet`, and an example of each singer."""
    if name not in _orders:
        raise KeyError(f"no song {name!r}; there are {SONGS[0]}, {SONGS[1]} ... ({len(SONGS)})")
    duet = _orders[name]
    _require_packages({voice for voice in duet.voices if voice != FORMANT})
    random = np.random.Generator(np.random.PCG64([_SEED, duet.seed]))
    arrangement, tunes = _studio("arrangement"), _studio("tunes")
    song = arrangement.any_song(duet.seed, float(random.uniform(9.0, 12.0)), random)
    parts, beats = arrangement.backing(song, random)
    voices, examples = [], []
    for place, voice in enumerate(duet.voices):
        body = arrangement.any_singer(random)
        tune = tunes.made(parts, beats, body.lowest, body.highest, random)
        singer = _singer(voice, body, random)
        voices.append(_sung(singer, tune, song.seconds, random))
        elsewhere = np.random.Generator(np.random.PCG64([_SEED, duet.seed, place]))
        other = tunes.made(parts, beats, body.lowest, body.highest, elsewhere)
        examples.append(_sung(singer, other, song.seconds, elsewhere))
    level = _studio("desk").loudness
    gain = 10.0 ** (float(random.uniform(-_LEVEL_DB, _LEVEL_DB)) / 20.0)
    voices[1] *= gain * level(voices[0]) / (level(voices[1]) + 1e-9)
    order = sorted((0, 1), key=lambda place: -float(level(voices[place])))
    stems = {f"voice-{number}": voices[place] for number, place in enumerate(order, 1)}
    if duet.band:
        band = np.sum(list(_studio("songs").coded(song).values()), axis=0)
        stems["other"] = band * level(stems["voice-1"]) / (level(band) + 1e-9)
    length = min(sound.shape[1] for sound in stems.values())
    peak = np.abs(np.sum([sound[:, :length] for sound in stems.values()], axis=0)).max()
    scale = _PEAK / max(peak, *(np.abs(sound).max() for sound in stems.values()))
    named = {f"voice-{number}": examples[place] for number, place in enumerate(order, 1)}
    return Rendered(
        stems={stem: _pcm(sound[:, :length] * scale) for stem, sound in stems.items()},
        singers={f"voice-{n}": duet.voices[place] for n, place in enumerate(order, 1)},
        examples={stem: _pcm(e * _PEAK / np.abs(e).max()) for stem, e in named.items()},
    )


@dataclass(frozen=True, slots=True)
class _Singer:
    """A voice, and what makes it this singer's: range and tract, and how a speaker's voice is changed."""

    voice: str
    body: Any
    timbre: Any


def _singer(voice: str, body: Any, random: np.random.Generator) -> _Singer:
    drawn = None if voice == FORMANT else _studio("speaking").drawn_timbre(voice, body, random)
    return _Singer(voice, body, drawn)


def _sung(
    singer: _Singer, tune: list[Any], seconds: float, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """A tune by a singer, float64 (2, samples), in a room."""
    songs = _studio("songs")
    if singer.voice == FORMANT:
        sound = songs.recorded_formant(tune, singer.body, seconds, random)
    else:
        speaking = _studio("speaking")
        sound, _ = speaking.spoken_by(
            singer.voice, singer.timbre, tune, singer.body, seconds, random
        )
    return np.asarray(songs.in_room(sound, random))


def _pcm(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    return np.round(sound * 32767.0).astype(np.int16)


def prepare(folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
    """Write every song as ``<split>/<song>/<stem>.flac``, 16 bit, into `folder`, and ``singers.csv``.

    Examples of its singers are ``examples/<split>/<song>/voice-1.flac`` and ``voice-2.flac``.

    Raises
    ------
    UsageError
        If a package is missing.
    """
    import soundfile

    _require_packages({v for duet in _orders.values() for v in duet.voices if v != FORMANT})
    lines = ["song,voice-1,voice-2"]
    for number, (name, duet) in enumerate(_orders.items(), 1):
        song = render(name)
        lines.append(",".join((name, song.singers["voice-1"], song.singers["voice-2"])))
        for place, sounds in ((Path(), song.stems), (Path("examples"), song.examples)):
            target = folder / place / duet.split / name
            target.mkdir(parents=True)
            for stem, audio in sounds.items():
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
