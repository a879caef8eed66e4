"""How data sets lie on a disk: folders, stem files, a table of paths, or what a loader says."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchbench.datasets.tracks import Source, Track, fingerprint
from benchbench.errors import UsageError
from benchbench.io.containers import looks_like_audio, name_without_ending
from benchbench.plugins.manifest_schema import DatasetManifest

__all__ = ["find_stems", "load_loader", "tracks"]

MIXTURE_NAMES = ("mixture", "mix")
STEM_STREAMS = ("mixture", "drums", "bass", "other", "vocals")
"""The audio streams of a stem file of MUSDB18, in their order."""


@dataclass(frozen=True, slots=True)
class Found:
    """A track as it was found: for each stem the files whose sum it is."""

    name: str
    stems: Mapping[str, Sequence[Path]]
    mixture: Path | None = None
    flags: tuple[str, ...] = ()


def tracks(manifest: DatasetManifest, loader: Path, root: Path, split: str) -> Iterator[Track]:
    """The tracks of one split ("" for a set without), in the order of their names.

    Parameters
    ----------
    manifest
        What the data set says of itself.
    loader
        Its ``loader.py``, run for the layout ``loader`` only.
    root
        Its folder, or the table's file.

    Raises
    ------
    UsageError
        When what is there contradicts the layout.
    """
    if manifest.layout == "stem-files":
        yield from _stem_files(manifest, root / split, split)
        return
    if manifest.layout == "table":
        found: Iterable[Found] = _table(root)
    elif manifest.layout == "loader":
        found = (Found(*one) for one in load_loader(loader).tracks(root, split))
    else:
        found = _folders(manifest, root, split)
    for one in found:
        stems = _grouped(manifest, one)
        if stems:
            mixture = Source(one.mixture) if one.mixture else None
            yield _track(manifest, split, one.name, stems, mixture, one.flags)


def find_stems(folder: Path) -> dict[str, Path]:
    """The audio files of a folder by stem name (file name without ending).

    Raises
    ------
    UsageError
        When two files have the same stem name.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if looks_like_audio(path):
            stem = name_without_ending(path.name)
            if stem in found:
                raise UsageError(
                    f"{folder} holds {found[stem].name} and {path.name}: which is {stem}?",
                    hint="Keep one of them.",
                )
            found[stem] = path
    return found


def load_loader(path: Path) -> ModuleType:
    """A data set's ``loader.py``.

    Raises
    ------
    UsageError
        When it is not there.
    """
    name = f"benchbench_dataset_{path.resolve().parent.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _stem_files(manifest: DatasetManifest, folder: Path, split: str) -> Iterator[Track]:
    for path in sorted(folder.glob("*.stem.mp4")):
        sources = {name: Source(path, i) for i, name in enumerate(STEM_STREAMS)}
        mixture = sources.pop("mixture")
        yield _track(manifest, split, path.name.removesuffix(".stem.mp4"), sources, mixture)


def _folders(manifest: DatasetManifest, root: Path, split: str) -> Iterator[Found]:
    """``<split>/<track>/<stem>.<ending>``; mixtures may lie in a tree of their own."""
    folder = root / manifest.stems_folder.replace("{split}", split)
    if not folder.is_dir():
        return
    own = find_stems(folder)
    if own and not manifest.splits:  # one track: the folder itself
        yield _found(manifest, root, split, folder.resolve().name, own)
    for path in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        if not path.name.startswith("."):
            yield _found(manifest, root, split, path.name, find_stems(path))


def _found(
    manifest: DatasetManifest, root: Path, split: str, name: str, files: dict[str, Path]
) -> Found:
    if manifest.mixtures_folder:
        place = root / manifest.mixtures_folder.replace("{split}", split) / name
        files |= find_stems(place) if place.is_dir() else {}
    mixtures = [files.pop(m) for m in (manifest.mixture, *MIXTURE_NAMES) if m and m in files]
    return Found(name, {s: [f] for s, f in files.items()}, mixtures[0] if mixtures else None)


def _table(path: Path) -> Iterator[Found]:
    """A CSV file: a column ``track``, one column a stem with paths, perhaps one ``mixture``."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "track" not in (rows.fieldnames or ()):
            raise UsageError(
                f"{path} has no column 'track'.",
                hint="Its first line must name the columns: track,vocals,drums,...[,mixture].",
            )
        for number, row in enumerate(rows, 2):
            named = {key: value for key, value in row.items() if key and value}
            name = named.pop("track", "")
            places = {key: path.parent / value for key, value in named.items()}
            missing = [str(place) for place in places.values() if not place.is_file()]
            if missing or not name:
                what = f"there is no file {missing[0]}" if missing else "it names no track"
                raise UsageError(f"{path}, line {number}: {what}.")
            mixtures = [places.pop(m) for m in MIXTURE_NAMES if m in places]
            stems = {stem: [place] for stem, place in places.items()}
            yield Found(name, stems, mixtures[0] if mixtures else None)


def _grouped(manifest: DatasetManifest, found: Found) -> dict[str, Source]:
    """The stems that the manifest asks for, each the sum of what belongs to it."""
    groups = manifest.groups or {stem: (stem,) for stem in manifest.stems or found.stems}
    stems = {}
    for stem, members in groups.items():
        files = [path for member in members for path in found.stems.get(member, ())]
        if files:
            stems[stem] = Source(files[0], added=tuple(files[1:]))
    return stems


def _track(
    manifest: DatasetManifest,
    split: str,
    name: str,
    stems: Mapping[str, Source],
    mixture: Source | None,
    flags: tuple[str, ...] = (),
) -> Track:
    if manifest.version:
        mark = f"{manifest.name}-v{manifest.version}/{name}"
    else:
        sources = [*stems.items(), *([("mixture", mixture)] if mixture else [])]
        mark = fingerprint(sources)
    flags = (*flags, *manifest.errata.get(name, ()))
    return Track(name, manifest.name, split, stems, mixture, manifest.quantise, mark, flags)
