"""What the studio is built from: soundfonts, MIDI files and voices of Debian packages.

Nothing is downloaded. Each split has MIDI files and voices of its own, so that
a model trained on one has heard neither the tunes nor the speakers of another.
"""

import functools
import hashlib
import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "PACKAGES",
    "Piece",
    "drum_kits",
    "missing",
    "pieces",
    "recordings",
    "soundfonts",
    "speakers",
]

PACKAGES = (
    "fluidsynth",
    "fluid-soundfont-gm",
    "musescore-general-soundfont-small",
    "timgm6mb-soundfont",
    "avldrums.lv2-soundfont",
    "flite",
    "openttd-openmsx",
    "freedoom",
    "asterisk-core-sounds-en-g722",
    "asterisk-core-sounds-fr-g722",
    "asterisk-core-sounds-it-g722",
    "asterisk-core-sounds-ru-g722",
)
"""Debian packages, all of them needed: a song must sound the same wherever it is made."""

_SHARE = Path(os.environ.get("BENCHBENCH_DEBIAN_SHARE", "/usr/share"))
_SOUNDFONTS = (
    "sounds/sf2/FluidR3_GM.sf2",
    "sounds/sf3/MuseScore_General_Lite.sf3",
    "sounds/sf2/TimGM6mb.sf2",
)
_DRUM_KITS = ("sounds/sf2/Black_Pearl_4_LV2.sf2", "sounds/sf2/Red_Zeppelin_4_LV2.sf2")
_OPENMSX = "games/openttd/baseset/openmsx"
_WADS = ("games/doom/freedoom1.wad", "games/doom/freedoom2.wad")
_VOICES = "asterisk/sounds"

SPEAKERS = {
    "train": ("en_US_f_Allison", "fr_CA_f_June", "it_IT_m_Carlo", "flite_m_rms", "flite_m_awb"),
    "validation": ("flite_f_slt",),
    "test": ("ru_RU_f_IvrvoiceRU", "flite_m_kal16"),
}
"""Voices, ``_f_`` or ``_m_``: recordings of people, or voices of `flite`, made from such."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A MIDI file: its name and what is in it."""

    name: str
    data: bytes


def missing() -> list[str]:
    """Return what is not on this machine, one entry for each package to install."""
    wanted = {
        "fluid-soundfont-gm": _SHARE / _SOUNDFONTS[0],
        "musescore-general-soundfont-small": _SHARE / _SOUNDFONTS[1],
        "timgm6mb-soundfont": _SHARE / _SOUNDFONTS[2],
        "avldrums.lv2-soundfont": _SHARE / _DRUM_KITS[0],
        "openttd-openmsx": _SHARE / _OPENMSX,
        "freedoom": _SHARE / _WADS[1],
    }
    for names in SPEAKERS.values():
        for name in (name for name in names if not name.startswith("flite")):
            wanted[f"asterisk-core-sounds-{name[:2]}-g722"] = _SHARE / _VOICES / name
    lacking = [package for package, path in wanted.items() if not path.exists()]
    return [p for p in ("fluidsynth", "flite") if not shutil.which(p)] + lacking


def soundfonts() -> list[Path]:
    """Return the General MIDI soundfonts."""
    return [_SHARE / path for path in _SOUNDFONTS]


def drum_kits() -> list[Path]:
    """Return the soundfonts of recorded drum kits; their keys are those of AVL, not General MIDI's."""
    return [_SHARE / path for path in _DRUM_KITS]


def speakers(split: str) -> tuple[str, ...]:
    """Return the voices of a split."""
    return SPEAKERS[split]


@functools.cache
def recordings(speaker: str) -> tuple[Path, ...]:
    """Return the recordings of a voice, long enough to hold some words."""
    folder = _SHARE / _VOICES / speaker
    return tuple(p for p in sorted(folder.rglob("*.g722")) if p.stat().st_size > 12000)


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
