"""The tracks of a data set: the files of each stem and a fingerprint.

No audio is read here. A *track* has stems and, if the data set ships one, a mixture.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchbench.datasets.layouts import load_loader
from benchbench.datasets.layouts import tracks as tracks_of
from benchbench.datasets.stem_files import readable
from benchbench.datasets.tracks import Source, Track
from benchbench.errors import UnknownNameError, UsageError
from benchbench.io.atomic import work_folder
from benchbench.io.cache import cache_folder
from benchbench.io.hashing import digest, short_hash
from benchbench.io.processes.locks import locked
from benchbench.plugins.catalog import DatasetPlugin
from benchbench.plugins.manifest_schema import DatasetManifest

__all__ = ["Dataset", "Source", "Track", "installed_folder", "open_dataset"]


@dataclass(frozen=True)
class Dataset:
    """The requested tracks of a data set."""

    manifest: DatasetManifest
    root: Path
    tracks: tuple[Track, ...]

    @property
    def has_references(self) -> bool:
        """Whether any of the tracks has true stems."""
        return any(track.stems for track in self.tracks)

    @property
    def version_hash(self) -> str:
        """A hash over the names and fingerprints of the tracks."""
        lines = sorted(f"{track.name}\t{track.fingerprint}" for track in self.tracks)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def open_dataset(
    dataset: DatasetPlugin,
    root: Path | None = None,
    *,
    split: str | None = None,
    names: Sequence[str] | None = None,
    limit: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Dataset:
    """Find a data set's tracks.

    Parameters
    ----------
    dataset
        The data set.
    root
        Its folder; None: the manifest's environment variable, else the folder of `bench install`.
    split
        One of the manifest's splits; None: its default; ``all``: every split.
    names
        Only these tracks; a text that is not a track's name is split at commas.
    limit
        Maximum number of tracks; the first ones are used.
    tell
        Called with a sentence about the current step or about files that are left out.

    Raises
    ------
    UsageError
        When the folder or every track is missing; explains how to get the data set.
    UnknownNameError
        For a split or track that does not exist.
    """
    manifest = dataset.manifest
    if note := dataset.place.note(manifest.name):
        tell(note)
    folder = _root(dataset, root, tell)
    tracks = [
        track
        for name in _splits(manifest, split)
        for track in tracks_of(manifest, dataset.folder / manifest.loader, folder, name, tell)
    ]
    if not tracks:
        raise UsageError(
            f"{folder} holds no tracks of {manifest.name}.",
            hint=f"`bench show {manifest.name}` describes the expected layout.",
        )
    if all(track.problem for track in tracks):
        raise UsageError(tracks[0].problem, hint="The other tracks cannot be read either.")
    tracks = _with_unique_names(tracks)
    if names:
        tracks = _named(tracks, names, manifest.name)
    tracks = tracks[:limit]
    _tell_left_out(tracks, tell)
    return Dataset(manifest, folder, tuple(tracks))


def _with_unique_names(tracks: Sequence[Track]) -> list[Track]:
    """The tracks; if two splits have a track of the same name, the split is added to it."""
    count = Counter(track.name for track in tracks)
    return [
        replace(track, name=f"{track.split}/{track.name}")
        if count[track.name] > 1 and track.split
        else track
        for track in tracks
    ]


def _named(tracks: Sequence[Track], names: Sequence[str], dataset: str) -> list[Track]:
    known = {track.name: track for track in tracks}
    chosen: dict[str, Track] = {}
    for text in names:
        whole = readable(text)
        parts = [whole] if whole in known else [part.strip() for part in whole.split(",")]
        for name in filter(None, parts):
            if name not in known:
                raise UnknownNameError("track", name, known, where=f" of {dataset}")
            chosen[name] = known[name]
    return list(chosen.values())


def _tell_left_out(tracks: Sequence[Track], tell: Callable[[str], None]) -> None:
    """Report each file that is the sum of other files of the track."""
    prefix = "left_out:"
    count = Counter(
        flag.removeprefix(prefix)
        for track in tracks
        for flag in track.flags
        if flag.startswith(prefix)
    )
    for stem, number in count.items():
        tell(
            f"{stem} is the sum of other stems ({number} of {len(tracks)} tracks): it is left out "
            "and not added to the mixture."
        )


def installed_folder(dataset: DatasetPlugin) -> Path:
    """The folder of an installed or generated data set.

    The name of one that is not shipped contains a hash over its loader and downloads, so that it
    neither takes nor provides the tracks of a shipped one of the same name.
    """
    manifest = dataset.manifest
    version = f"-v{manifest.version}" if manifest.version else ""
    if dataset.place.origin == "shipped":
        return cache_folder("datasets") / f"{manifest.name}{version}"
    loader = dataset.folder / manifest.loader
    code = digest(loader) if loader.is_file() else ""
    key = short_hash(code, manifest.downloads)[:8]
    return cache_folder("datasets") / f"{manifest.name}{version}-{key}"


def _root(dataset: DatasetPlugin, root: Path | None, tell: Callable[[str], None]) -> Path:
    manifest = dataset.manifest
    variable = manifest.root_variable
    if root is None and variable and os.environ.get(variable):
        root = Path(os.environ[variable])
    if root is not None:
        if manifest.layout == "table":
            if not root.is_file():
                raise UsageError(f"{root} is not a file.", hint="Name the CSV file with --root.")
        elif not root.is_dir():
            raise UsageError(
                f"{root} is not a folder.", hint="Name the data set's folder with --root."
            )
        return root
    folder = installed_folder(dataset)
    if manifest.layout == "generated":
        _generate(dataset, folder, tell)
    if not folder.is_dir():
        install = f"Run `bench install {manifest.name}`, or name" if manifest.downloads else "Name"
        or_variable = f" or the environment variable {variable}" if variable else ""
        raise UsageError(
            f"The data set {manifest.name} was not found on this machine.",
            hint=f"{install} its folder with --root FOLDER{or_variable}. {manifest.instructions}",
        )
    return folder


def _generate(dataset: DatasetPlugin, folder: Path, tell: Callable[[str], None]) -> None:
    """Let the data set's ``loader.py`` write its tracks into the cache, once.

    A slow loader may accept `tell` and report its progress.
    """
    with locked(folder, tell):
        if folder.is_dir():
            return
        path = dataset.folder / dataset.manifest.loader
        tell(f"Preparing the data set {dataset.manifest.name} (once)")
        module = load_loader(path)
        with work_folder(folder) as scratch:
            tracks = scratch / "tracks"
            if "tell" in inspect.signature(module.prepare).parameters:
                module.prepare(tracks, tell=tell)
            else:
                module.prepare(tracks)
            tracks.replace(folder)


def _splits(manifest: DatasetManifest, split: str | None) -> Sequence[str]:
    if not manifest.splits:
        if split not in (None, "all"):
            raise UsageError(
                f"The data set {manifest.name} has no splits.", hint="Leave out --split."
            )
        return ("",)
    chosen = split or manifest.default_split or manifest.splits[0]
    if chosen == "all":
        return manifest.splits
    if chosen not in manifest.splits:
        raise UnknownNameError(
            "split", chosen, [*manifest.splits, "all"], where=f" of {manifest.name}"
        )
    return (chosen,)
