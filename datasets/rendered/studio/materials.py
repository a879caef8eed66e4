"""Materials of the songs: soundfonts, MIDI files and voices of Debian packages.

Nothing is downloaded. The splits have different MIDI files and voices, so that
a model trained on one has no tunes and no speakers of another.
"""

import csv
import functools
import hashlib
import os
import shutil
import struct
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Excerpt",
    "Piece",
    "drum_kits",
    "drum_samples",
    "excerpts",
    "loops",
    "missing",
    "missing_voices",
    "pieces",
    "recordings",
    "share",
    "soundfonts",
    "speakers",
]

_SHARE = Path(os.environ.get("BENCHBENCH_DEBIAN_SHARE", "/usr/share"))
_SOUNDFONTS = (
    "sounds/sf2/FluidR3_GM.sf2",
    "sounds/sf3/MuseScore_General_Lite.sf3",
    "sounds/sf2/TimGM6mb.sf2",
)
_SPLITS = ("train", "validation", "test", "further-joined", "further-released")
_RELEASED = Path(__file__).with_name("released.csv")
_DRUM_KITS = ("sounds/sf2/Black_Pearl_4_LV2.sf2", "sounds/sf2/Red_Zeppelin_4_LV2.sf2")
_OPENMSX = "games/openttd/baseset/openmsx"
_WADS = ("games/doom/freedoom1.wad", "games/doom/freedoom2.wad")
_VOICES = "asterisk/sounds"
_DRUM_SAMPLES = "hydrogen/data/drumkits"
_LOOPS = "sonic-pi/samples"
_WORDS = "ktuberling/sounds"
_RUSSIAN = "festival/voices/russian/msu_ru_nsh_clunits/wav"

_FESTIVAL = {
    "festival_f_czech_dita": ("festvox-czech-dita", "czech/czech_dita"),
    "festival_f_upc_ca_ona_hts": ("festvox-ca-ona-hts", "catalan/upc_ca_ona_hts"),
    "festival_f_suo_fi_lj_diphone": ("festvox-suopuhe-lj", "finnish/suo_fi_lj_diphone"),
    "festival_f_lp_diphone": ("festvox-italp16k", "italian/lp_diphone"),
    "festival_m_pc_diphone": ("festvox-itapc16k", "italian/pc_diphone"),
    "festival_m_czech_machac": ("festvox-czech-machac", "czech/czech_machac"),
    "festival_m_czech_ph": ("festvox-czech-ph", "czech/czech_ph"),
    "festival_m_hy_fi_mv_diphone": ("festvox-suopuhe-mv", "finnish/hy_fi_mv_diphone"),
    "festival_m_ked_diphone": ("festvox-kdlpc16k", "english/ked_diphone"),
}
"""Voices of `festival`: the package, and its path."""

SPEAKERS = {
    "train": (
        "en_US_f_Allison",
        "fr_CA_f_June",
        "it_IT_m_Carlo",
        "flite_m_rms",
        "flite_m_awb",
        *_FESTIVAL,
    ),
    "validation": ("flite_f_slt",),
    "test": ("ru_RU_f_IvrvoiceRU", "flite_m_kal16"),
    "further": (
        "es_MX_f_Allison",
        "russian_m_nsh",
        *(f"ktuberling_f_{language}" for language in ("ca", "da", "en", "nn", "ru", "uk")),
        *(f"ktuberling_m_{language}" for language in ("de", "el", "fr", "lt", "sl", "wa")),
    ),
}
"""Voices, ``_f_`` or ``_m_``: recordings of people, or voices of `flite` or `festival`, made from
such. The same person speaks in one split only. The further ones are training's too; songs that were
planned before them do not use them. Whether a voice of `ktuberling` is high or low was measured."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A MIDI file: its name and what is in it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of a recording: its split, package and file, and its start in seconds.

    A file inside of an archive is named ``archive!member``.
    """

    split: str
    package: str
    file: str
    start: float


def missing() -> list[str]:
    """Return the missing materials, one entry per package to install."""
    wanted = {
        "fluid-soundfont-gm": _SHARE / _SOUNDFONTS[0],
        "musescore-general-soundfont-small": _SHARE / _SOUNDFONTS[1],
        "timgm6mb-soundfont": _SHARE / _SOUNDFONTS[2],
        "avldrums.lv2-soundfont": _SHARE / _DRUM_KITS[0],
        "openttd-openmsx": _SHARE / _OPENMSX,
        "freedoom": _SHARE / _WADS[1],
        "hydrogen-drumkits": _SHARE / _DRUM_SAMPLES,
        "sonic-pi-samples": _SHARE / _LOOPS,
    }
    for excerpt in (excerpt for split in _SPLITS for excerpt in excerpts(split)):
        wanted[excerpt.package] = _SHARE / excerpt.file.partition("!")[0]
    lacking = [package for package, path in wanted.items() if not path.exists()]
    programs = [] if shutil.which("fluidsynth") else ["fluidsynth"]
    return [
        *programs,
        *missing_voices({v for voices in SPEAKERS.values() for v in voices}),
        *lacking,
    ]


def missing_voices(voices: Collection[str]) -> list[str]:
    """Return the packages that some voices need and that are not installed."""
    programs: dict[str, str] = {}
    wanted: dict[str, Path] = {}
    for name in sorted(voices):
        if name.startswith("flite"):
            programs["flite"] = "flite"
        elif name in _FESTIVAL:
            programs["festival"] = "text2wave"
            package, place = _FESTIVAL[name]
            wanted[package] = _SHARE / "festival/voices" / place
        elif name.startswith("ktuberling"):
            wanted["ktuberling-data"] = _SHARE / _WORDS
        elif name.startswith("russian"):
            wanted["festvox-ru"] = _SHARE / _RUSSIAN
        else:
            wanted[f"asterisk-core-sounds-{name[:2]}-g722"] = _SHARE / _VOICES / name
    lacking = [package for package, path in wanted.items() if not path.exists()]
    return [package for package, name in programs.items() if not shutil.which(name)] + lacking


def share() -> Path:
    """Return the folder of the packages' shared files."""
    return _SHARE


def soundfonts() -> list[Path]:
    """Return the General MIDI soundfonts."""
    return [_SHARE / path for path in _SOUNDFONTS]


def drum_kits() -> list[Path]:
    """Return the soundfonts of recorded drum kits; their keys are those of AVL, not General MIDI's."""
    return [_SHARE / path for path in _DRUM_KITS]


def drum_samples() -> Path:
    """Return the folder of drum kits as single sounds, one folder per kit."""
    return _SHARE / _DRUM_SAMPLES


def loops() -> Path:
    """Return a folder of single sounds of electronic music."""
    return _SHARE / _LOOPS


def speakers(split: str) -> tuple[str, ...]:
    """Return the voices of a split; further songs have all voices of training."""
    return SPEAKERS["train"] + SPEAKERS[split] if split == "further" else SPEAKERS[split]


@functools.cache
def recordings(speaker: str) -> tuple[Path, ...]:
    """Return the recordings of a voice, long enough to hold some words."""
    if speaker.startswith("ktuberling"):
        folder = _SHARE / _WORDS / speaker.rpartition("_")[2]
        return tuple(p for p in sorted(folder.iterdir()) if p.suffix in (".opus", ".ogg", ".wav"))
    if speaker.startswith("russian"):
        return tuple(sorted((_SHARE / _RUSSIAN).glob("*.wav")))
    folder = _SHARE / _VOICES / speaker
    return tuple(p for p in sorted(folder.rglob("*.g722")) if p.stat().st_size > 12000)


@functools.cache
def excerpts(split: str) -> tuple[Excerpt, ...]:
    """Return the excerpts of a split; all music of one package is in one split."""
    with _RELEASED.open(encoding="utf-8", newline="") as lines:
        rows = [Excerpt(one, p, file, float(start)) for one, p, file, start in csv.reader(lines)]
    return tuple(row for row in rows if row.split == split)


@functools.cache
def pieces(split: str) -> tuple[Piece, ...]:
    """Return the MIDI files of a split; of equal files only the first is kept."""
    chosen: list[Piece] = []
    seen: set[str] = set()
    for piece in _all_pieces():
        digest = hashlib.sha256(piece.data).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        share = int(digest[:8], 16) % 10
        if split == ("validation" if share == 0 else "test" if share in (1, 2) else "train"):
            chosen.append(piece)
    return tuple(chosen)


def _all_pieces() -> list[Piece]:
    found = [Piece(p.stem, p.read_bytes()) for p in sorted((_SHARE / _OPENMSX).glob("*.mid"))]
    for wad in _WADS:
        found += _music_of(_SHARE / wad)
    return found


def _music_of(wad: Path) -> list[Piece]:
    """Return the MIDI files in a WAD: a directory of (offset, size, name) entries."""
    data = wad.read_bytes()
    count, directory = struct.unpack("<ii", data[4:12])
    found = []
    for entry in range(count):
        place, size, raw = struct.unpack_from("<ii8s", data, directory + 16 * entry)
        name = raw.rstrip(b"\0").decode("ascii", "replace")
        if name.startswith("D_") and data[place : place + 4] == b"MThd":
            found.append(Piece(f"{wad.stem}-{name}", data[place : place + size]))
    return found
