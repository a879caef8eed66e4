"""A data set's tracks as small lazy objects: where each stem lies, and what identifies it.

No audio is read here. A *track* knows its stems and, where the data set ships one, its mixture.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.cache import cache_folder, locked
from benchbench.catalog import Dataset
from benchbench.declarations import DatasetManifest
from benchbench.decoding import SUFFIXES
from benchbench.errors import UnknownNameError, UsageError

__all__ = ["Corpus", "Source", "Track", "find_stems", "installed_folder", "open_corpus"]

MIXTURE_NAMES = ("mixture", "mix")
STEM_STREAMS = ("mixture", "drums", "bass", "other", "vocals")
"""The audio streams of a stem file of MUSDB18, in their order."""

EDGE = 1 << 16
"""Bytes at each end of a file that go into a track's fingerprint."""


@dataclass(frozen=True, slots=True)
class Source:
    """One stem: a file and which of its audio streams."""

    path: Path
    stream: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """A track of a data set.

    Parameters
    ----------
    name, dataset, split
        Its name, unique in the data set, and where it belongs.
    stems
        Stem name to source.
    mixture
        The shipped mixture; None: the mixture is the sum of the stems.
    quantise
        Whether decoded audio is rounded to 16 bit.
    fingerprint
        Changes when the audio does.
    """

    name: str
    dataset: str
    split: str
    stems: Mapping[str, Source]
    mixture: Source | None
    quantise: bool
    fingerprint: str


@dataclass(frozen=True)
class Corpus:
    """The tracks of a data set that were asked for."""

    manifest: DatasetManifest
    root: Path
    tracks: tuple[Track, ...]

    @property
    def version_hash(self) -> str:
        """A hash over the names and fingerprints of the tracks."""
        lines = sorted(f"{track.name}\t{track.fingerprint}" for track in self.tracks)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def open_corpus(
    dataset: Dataset,
    root: Path | None = None,
    *,
    split: str | None = None,
    names: Sequence[str] | None = None,
    limit: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Corpus:
    """Find a data set's tracks.

    Parameters
    ----------
    dataset
        The data set.
    root
        Its folder; None: the manifest's environment variable, else what `bench install` made.
    split
        One of the manifest's splits; None: its default, ``all``: every one.
    names
        Only these tracks.
    limit
        Only the first so many.
    tell
        Told in a sentence what is being done.

    Raises
    ------
    UsageError
        When the folder or every track is missing; says how to get the data set.
    UnknownNameError
        For a split or track that is not there.
    """
    manifest = dataset.manifest
    folder = _root(dataset, root, tell)
    tracks = [
        track for name in _splits(manifest, split) for track in _tracks(manifest, folder, name)
    ]
    if not tracks:
        raise UsageError(
            f"{folder} holds no tracks of {manifest.name}.",
            hint=f"`bench show {manifest.name}` says how its files must lie.",
        )
    if names:
        known = {track.name: track for track in tracks}
        for name in names:
            if name not in known:
                raise UnknownNameError("track", name, known, where=f" of {manifest.name}")
        tracks = [known[name] for name in names]
    return Corpus(manifest, folder, tuple(tracks[:limit]))


def find_stems(folder: Path) -> dict[str, Path]:
    """The audio files of a folder by stem name (file name without ending).

    Raises
    ------
    UsageError
        When two files have the same stem name.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith("."):
            if path.stem in found:
                raise UsageError(
                    f"{folder} holds {found[path.stem].name} and {path.name}: which is {path.stem}?",
                    hint="Keep one of them.",
                )
            found[path.stem] = path
    return found


def installed_folder(manifest: DatasetManifest) -> Path:
    """Where `bench install` puts a data set, or where a generated one is kept."""
    version = f"-v{manifest.version}" if manifest.version else ""
    return cache_folder("datasets") / f"{manifest.name}{version}"


def _root(dataset: Dataset, given: Path | None, tell: Callable[[str], None]) -> Path:
    manifest = dataset.manifest
    variable = manifest.root_variable
    if given is None and variable and os.environ.get(variable):
        given = Path(os.environ[variable])
    if given is not None:
        if not given.is_dir():
            raise UsageError(
                f"{given} is not a folder.", hint="Name the data set's folder with --root."
            )
        return given
    folder = installed_folder(manifest)
    if manifest.layout == "generated":
        _generate(dataset, folder, tell)
    if not folder.is_dir():
        ways = [f"`bench install {manifest.name}`"] if manifest.downloads else []
        ways.append("--root FOLDER")
        ways += [f"the environment variable {variable}"] if variable else []
        raise UsageError(
            f"The data set {manifest.name} is not here.",
            hint=f"Get it with {', or name its folder with '.join(ways[:2])}"
            + (f" or {ways[2]}" if len(ways) > 2 else "")
            + f". {manifest.instructions}".rstrip(),
        )
    return folder


def _generate(dataset: Dataset, folder: Path, tell: Callable[[str], None]) -> None:
    """Let the data set's ``loader.py`` write its tracks into the cache, once.

    A loader that takes long may accept `tell` and say how far it is.
    """
    with locked(folder):
        if folder.is_dir():
            return
        path = dataset.folder / "loader.py"
        if dataset.origin == "working directory":
            tell(f"{dataset.manifest.name} runs the code in {path} of the working directory.")
        tell(f"Preparing the data set {dataset.manifest.name} (once)")
        spec = importlib.util.spec_from_file_location(f"benchbench_dataset_{folder.name}", path)
        if spec is None or spec.loader is None:
            raise UsageError(f"{path} cannot be loaded.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".prepare-") as scratch:
            tracks = Path(scratch) / "tracks"
            if "tell" in inspect.signature(module.prepare).parameters:
                module.prepare(tracks, tell=tell)
            else:
                module.prepare(tracks)
            shutil.move(tracks, folder)


def _splits(manifest: DatasetManifest, split: str | None) -> Sequence[str]:
    if not manifest.splits:
        if split not in (None, "all"):
            raise UsageError(
                f"The data set {manifest.name} has no splits.", hint="Leave out --split."
            )
        return ("",)
    if split == "all":
        return manifest.splits
    chosen = split or manifest.default_split or manifest.splits[0]
    if chosen not in manifest.splits:
        raise UnknownNameError(
            "split", chosen, [*manifest.splits, "all"], where=f" of {manifest.name}"
        )
    return (chosen,)


def _tracks(manifest: DatasetManifest, root: Path, split: str) -> Iterator[Track]:
    folder = root / split
    if not folder.is_dir():
        return
    if manifest.layout == "stem-files":
        for path in sorted(folder.glob("*.stem.mp4")):
            sources = {name: Source(path, i) for i, name in enumerate(STEM_STREAMS)}
            mixture = sources.pop("mixture")
            name = path.name.removesuffix(".stem.mp4")
            yield _track(manifest, split, name, sources, mixture)
        return
    own = find_stems(folder)
    if own and not manifest.splits:  # one track: the folder itself
        yield from _folder_track(manifest, split, folder.resolve().name, own)
    for path in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        if not path.name.startswith("."):
            yield from _folder_track(manifest, split, path.name, find_stems(path))


def _folder_track(
    manifest: DatasetManifest, split: str, name: str, files: dict[str, Path]
) -> Iterator[Track]:
    mixtures = [files.pop(m) for m in (manifest.mixture, *MIXTURE_NAMES) if m and m in files]
    wanted = manifest.stems or tuple(files)
    stems = {stem: Source(files[stem]) for stem in wanted if stem in files}
    if stems:
        mixture = Source(mixtures[0]) if mixtures else None
        yield _track(manifest, split, name, stems, mixture)


def _track(
    manifest: DatasetManifest,
    split: str,
    name: str,
    stems: Mapping[str, Source],
    mixture: Source | None,
) -> Track:
    if manifest.version:
        fingerprint = f"{manifest.name}-v{manifest.version}/{name}"
    else:
        sources = [*stems.items(), *([("mixture", mixture)] if mixture else [])]
        fingerprint = _fingerprint(sources)
    return Track(name, manifest.name, split, stems, mixture, manifest.quantise, fingerprint)


def _fingerprint(sources: Iterable[tuple[str, Source]]) -> str:
    """A hash over the sizes and both ends of all files: quick, and enough to see a change."""
    total = hashlib.sha256()
    for name, source in sorted(sources):
        size = source.path.stat().st_size
        total.update(f"{name} {source.stream} {size}\n".encode())
        with source.path.open("rb") as file:
            total.update(file.read(EDGE))
            if size > 2 * EDGE:
                file.seek(-EDGE, os.SEEK_END)
                total.update(file.read(EDGE))
    return total.hexdigest()[:16]
