"""The songs of `fretsonfire`, taken from two Debian packages of the game Frets on Fire.

The packages hold each song as two files: the lead guitar, and all other instruments. They are read
where they are installed, from .deb files, or from .deb files that ``apt-get download`` fetches.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchbench.errors import UsageError
from benchbench.io.processes.scratch import scratch_folder
from benchbench.separation.workers.process_tree import run_to_end

__all__ = ["SONGS", "VERSION", "prepare"]

VERSION = 1
"""Increased whenever a file changes."""

_INSTALLED = "games/fretsonfire/data/songs"
_LONGEST_S = 600.0
"""Seconds for the download of a package."""
_STEMS = {"guitar": "guitar.ogg", "other": "song.ogg"}
_AR_MAGIC, _AR_HEADER = b"!<arch>\n", 60


@dataclass(frozen=True, slots=True)
class Song:
    """A song: its band, its folder in the package, and the SHA-256 of each stem's file."""

    band: str
    folder: str
    guitar: str
    other: str

    @property
    def name(self) -> str:
        """The track's name."""
        return self.folder.lower().replace("_", "-").replace(" ", "-")

    @property
    def package(self) -> str:
        """The Debian package."""
        return f"fretsonfire-songs-{self.band}"

    def path(self, stem: str) -> str:
        """The place of a stem's file below ``/usr/share``."""
        return f"{_INSTALLED}/{self.band}/{self.folder}/{_STEMS[stem]}"


SONGS = (
    Song(
        "muldjord",
        "armygeddon",
        "c54dc1cae8427c427b4c39fd3d5f743e6fdd85d31252db89641e8e9e8021a8bd",
        "3912690dfdf264df3c0e6ce4057e1ef2617d159e3fe873172762ebe3b8a15dd2",
    ),
    Song(
        "muldjord",
        "chaos_god",
        "244a6d7f103640b7dc00fef2959946d2c980a6c38e98d49c3fd55efebf973390",
        "e3ea47b66cfcacc853aa03e4dd5aa3262a73468b4a8aab240de9e00b13373127",
    ),
    Song(
        "muldjord",
        "internal_degeneration",
        "efce4fe1692b70b0a8df1b4e5ae1a10452f36039478ab4697f9ab1a7c504f7ae",
        "37c8afa938c155af45645af94d61eebeba11e975b4c8be8f61a04a2f97e1327d",
    ),
    Song(
        "muldjord",
        "mutilated_mime",
        "a226edce4d8f0e461fa17fabd107a0c418ba38cc13cd18542d2e4ab1dcaa43db",
        "91e2197f397b9f072e3561166a28888d84284f8d1c7016a7b80fe9679565804f",
    ),
    Song(
        "sectoid",
        "Escape from chaosland",
        "75217e958dd7994e9e1548652161ab9e58316a1e67ed40d5d4a96ffd0e14e299",
        "f6da011002059676d5bceddc0a135c2a1bfc6ad629ba1c052f8db440c044c710",
    ),
    Song(
        "sectoid",
        "Feelings",
        "77089d9bfa71890a9b731d22512a0388914b17295992c3f3a1534dcf60a6894a",
        "8f3b11be42b4caf1b277c62a46436f015a0bcc559ca53871899ada23c6837bf5",
    ),
    Song(
        "sectoid",
        "Metal madness",
        "e991caf357b3dfe19994682bfc3d1ed7c17d4de072c1f865dd6ccd719c0bccd7",
        "22d096855d628c1f892dd1770573f6de8bd5150c6db63f86c8c15386f9d4b4e6",
    ),
    Song(
        "sectoid",
        "War of freedom",
        "422f98a0309e8a44fe98253911b0a2f7a6677e386434160af1708f23f9d3f645",
        "b44e3c119d36cac6713940ff04e750c009b7c3636920414d9be72eeb0407d039",
    ),
)


def prepare(folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
    """Write every song as ``<band>/<song>/<stem>.ogg`` into `folder`.

    Raises
    ------
    UsageError
        If a package cannot be found, or holds other files than those that this version names.
    """
    with scratch_folder() as scratch:
        share = Path(os.environ.get("BENCHBENCH_DEBIAN_SHARE", "/usr/share"))
        for package in dict.fromkeys(song.package for song in SONGS):
            songs = [song for song in SONGS if song.package == package]
            source = share
            if not all((share / song.path(stem)).is_file() for song in songs for stem in _STEMS):
                archive = _archive(package, scratch, tell)
                source = scratch / package
                _unpack(archive, source)
            for song in songs:
                _copy(song, source, folder / song.band / song.name)


def _copy(song: Song, share: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for stem, digest in (("guitar", song.guitar), ("other", song.other)):
        path = share / song.path(stem)
        if not path.is_file():
            raise UsageError(
                f"The package {song.package} lacks {song.path(stem)}.",
                hint=f"Install it again: `apt-get install --reinstall {song.package}`.",
            )
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise UsageError(
                f"{path} is not the file that version {VERSION} of fretsonfire was made from.",
                hint=f"Install the package {song.package} of Debian 12 again.",
            )
        (target / f"{stem}.ogg").write_bytes(content)


def _archive(package: str, scratch: Path, tell: Callable[[str], None]) -> Path:
    """The package's .deb file: one that was fetched before, or a download by apt-get."""
    given = os.environ.get("BENCHBENCH_DEBIAN_PACKAGES")
    places = [Path(given)] if given else [Path("/var/cache/apt/archives")]
    for place in places:
        found = sorted(place.glob(f"{package}_*.deb"))
        if found:
            tell(f"Reading {found[-1]}")
            return found[-1]
    reason = "apt-get is not installed"
    if given:
        reason = f"{given} holds no {package}_*.deb"
    elif program := shutil.which("apt-get"):
        tell(f"Fetching the Debian package {package} (29 MB) with apt-get")
        try:
            done = run_to_end([program, "download", package], os.environ, scratch, _LONGEST_S)
        except subprocess.TimeoutExpired:
            reason = f"apt-get needed more than {_LONGEST_S:.0f} s"
        else:
            found = sorted(scratch.glob(f"{package}_*.deb"))
            if found:
                return found[-1]
            reason = (done.stderr.strip().splitlines() or ["no file came"])[-1]
    raise UsageError(
        f"The Debian package {package} was not found: {reason}.",
        hint=f"On Debian: `apt-get install {package}`. Elsewhere put its .deb file into a folder "
        "and name the folder in BENCHBENCH_DEBIAN_PACKAGES.",
    )


def _unpack(archive: Path, target: Path) -> None:
    """Write the songs of a .deb file below `target`, as they lie below ``/usr/share``."""
    wanted = {
        f"./usr/share/{song.path(stem)}": song.path(stem) for song in SONGS for stem in _STEMS
    }
    try:
        data = next(body for name, body in _members(archive) if name.startswith("data.tar"))
        with tarfile.open(fileobj=io.BytesIO(data)) as files:
            for entry in files:
                reader = files.extractfile(entry) if entry.name in wanted else None
                if reader is not None:
                    path = target / wanted[entry.name]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(reader.read())
    except (StopIteration, ValueError, EOFError, OSError, tarfile.TarError) as error:
        raise UsageError(
            f"{archive} is not a complete Debian package: {error}.", hint="Fetch it again."
        ) from error


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of an ar archive, the outer format of a .deb file."""
    content = archive.read_bytes()
    if not content.startswith(_AR_MAGIC):
        raise ValueError("it does not begin as an ar archive")
    place = len(_AR_MAGIC)
    while place + _AR_HEADER <= len(content):
        header = content[place : place + _AR_HEADER]
        size = int(header[48:58])
        begin = place + _AR_HEADER
        if begin + size > len(content):
            raise ValueError("it is cut off")
        yield header[:16].decode("ascii").rstrip(" /"), content[begin : begin + size]
        place = begin + size + size % 2
