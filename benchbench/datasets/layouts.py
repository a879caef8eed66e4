"""The layouts of data sets: folders, stem files, a table of paths, or a custom loader."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from benchbench.datasets.stem_files import find_stems, find_tracks, readable, subfolders
from benchbench.datasets.tracks import Source, Track, fingerprint
from benchbench.errors import UsageError
from benchbench.io.audio.containers import is_hidden, looks_like_audio, name_without_ending
from benchbench.io.hashing import short_hash
from benchbench.metrics.pairing.stem_names import canonical, is_mixture, name_key, parts_and_sums
from benchbench.plugins.manifest_schema import DatasetManifest

__all__ = ["load_loader", "tracks"]

MIXTURE_NAMES = ("mixture", "mix")
STEM_ENDING = ".stem.mp4"
STEM_STREAMS = ("mixture", "drums", "bass", "other", "vocals")
"""The audio streams of a stem file of MUSDB18, in order."""


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """A track's files before the manifest selects stems: for each stem the files that are summed."""

    name: str
    stems: Mapping[str, Sequence[Path]]
    mixture: Path | None = None
    flags: tuple[str, ...] = ()
    problem: str = ""


def tracks(
    manifest: DatasetManifest,
    loader: Path,
    root: Path,
    split: str,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Track]:
    """The tracks of one split ("" for a data set without splits), sorted by name.

    Parameters
    ----------
    manifest
        The data set's manifest.
    loader
        Its ``loader.py``, run for the layout ``loader`` only.
    root
        Its folder, or the table's file.
    tell
        Called with a sentence for a folder that holds audio but none of the stems.

    Raises
    ------
    UsageError
        When the folder does not match the layout.
    """
    if manifest.layout == "stem-files":
        yield from _stem_files(manifest, root / split, split)
        return
    if manifest.layout == "mixtures":
        for song in _mixtures(root / split):
            yield _track(manifest, split, song, {}, ())
        return
    if manifest.layout == "table":
        listed: Iterable[ListedTrack] = _table(root)
    elif manifest.layout == "loader":
        every = (ListedTrack(*each) for each in load_loader(loader).tracks(root, split))
        listed = (track for track in every if not _is_hidden(root, track))
    else:
        listed = _folders(manifest, root, split)
    for track in listed:
        stems, flags = _chosen(manifest, track)
        if stems:
            yield _track(manifest, split, track, stems, flags)
        else:
            tell(
                f"{track.name} holds audio, but no stem of {manifest.name}, and is left out "
                "(--dataset mixtures takes songs without stems)."
            )


def _is_hidden(root: Path, track: ListedTrack) -> bool:
    files = [file for every in track.stems.values() for file in every][:1]
    return any(
        is_hidden(part) for file in files if file.is_relative_to(root)
        for part in file.relative_to(root).parts
    )  # fmt: skip


def load_loader(path: Path) -> ModuleType:
    """A data set's ``loader.py``.

    Raises
    ------
    UsageError
        When it does not exist.
    """
    name = f"benchbench_dataset_{path.resolve().parent.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _mixtures(root: Path) -> Iterator[ListedTrack]:
    """Songs without stems: every audio file, or the mixture of a folder that holds one."""
    if not root.is_dir():
        return
    files = sorted(path for path in root.iterdir() if looks_like_audio(path))
    mixtures = [path for path in files if is_mixture(canonical(name_without_ending(path.name)))]
    for path in mixtures[:1] or files:
        name = root.resolve().name if mixtures else name_without_ending(path.name)
        yield ListedTrack(readable(name), {}, path)
    for folder in subfolders(root):
        for song in _mixtures(folder):
            alone = song.mixture is not None and song.name == readable(folder.name)
            name = song.name if alone else f"{readable(folder.name)}/{song.name}"
            yield replace(song, name=name)


def _stem_files(manifest: DatasetManifest, folder: Path, split: str) -> Iterator[Track]:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in files:
        if path.name.lower().endswith(STEM_ENDING) and not is_hidden(path.name):
            sources = {name: Source(path, i) for i, name in enumerate(STEM_STREAMS)}
            mixture = sources.pop("mixture")
            name = readable(path.name[: -len(STEM_ENDING)])
            track = ListedTrack(name, {stem: [path] for stem in sources}, path)
            yield _track(manifest, split, track, sources, (), mixture)


def _folders(manifest: DatasetManifest, root: Path, split: str) -> Iterator[ListedTrack]:
    """``<split>/<track>/<stem>.<ending>``; mixtures may be in a separate tree."""
    folder = root / manifest.stems_folder.replace("{split}", split)
    if not folder.is_dir():
        return
    for track in find_tracks(folder):
        if track.folder == folder and manifest.splits:
            continue  # such as a mixture of all tracks
        files = dict(track.stems)
        if manifest.mixtures_folder:
            place = root / manifest.mixtures_folder.replace("{split}", split) / track.folder.name
            files |= find_stems(place) if place.is_dir() else {}
        mixtures = [stem for stem in files if is_mixture(stem)]
        if manifest.mixture:
            wanted = name_key(manifest.mixture)
            mixtures = [stem for stem in files if name_key(stem) == wanted] + mixtures
        mixtures.sort(key=lambda stem: stem not in MIXTURE_NAMES)
        stems = {stem: [path] for stem, path in files.items() if stem not in mixtures}
        mixture = files[mixtures[0]] if mixtures else None
        yield ListedTrack(track.name, stems, mixture, problem=track.problem)


def _table(path: Path) -> Iterator[ListedTrack]:
    """A CSV file: a column ``track``, one column per stem with paths, perhaps one ``mixture``."""
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
            places = {canonical(key): path.parent / value for key, value in named.items()}
            missing = [str(place) for place in places.values() if not place.is_file()]
            if not name:
                raise UsageError(f"{path}, line {number}: it names no track.")
            problem = f"{path}, line {number}: there is no file {missing[0]}." if missing else ""
            mixtures = [stem for stem in MIXTURE_NAMES if stem in places]
            mixture = places[mixtures[0]] if mixtures else None
            stems = {stem: [place] for stem, place in places.items() if not is_mixture(stem)}
            yield ListedTrack(name, stems, mixture, problem=problem)


def _chosen(
    manifest: DatasetManifest, track: ListedTrack
) -> tuple[dict[str, Source], tuple[str, ...]]:
    """The stems that the manifest requests, each the sum of its files, and flags.

    If the manifest names no stems, files that are sums of others, such as ``accompaniment`` beside
    ``drums`` and ``bass``, are left out.
    """
    left_out: list[str] = []
    if manifest.groups or manifest.stems:
        groups = manifest.groups or {stem: (stem,) for stem in manifest.stems}
    else:
        parts, left_out = parts_and_sums(track.stems)
        groups = {stem: (stem,) for stem in parts}
    files: dict[str, list[Path]] = {}
    for stem, every in track.stems.items():
        files.setdefault(name_key(canonical(stem)), []).extend(every)
    stems = {}
    for stem, members in groups.items():
        paths = [path for m in members for path in files.get(name_key(canonical(m)), ())]
        if paths:
            stems[stem] = Source(paths[0], added=tuple(paths[1:]))
    return stems, tuple(f"left_out:{name_key(stem)}" for stem in left_out)


def _track(
    manifest: DatasetManifest,
    split: str,
    track: ListedTrack,
    stems: Mapping[str, Source],
    flags: tuple[str, ...],
    mixture: Source | None = None,
) -> Track:
    if mixture is None and track.mixture:
        mixture = Source(track.mixture)
    problem = track.problem
    if manifest.version:
        mark = f"{manifest.name}-v{manifest.version}/{track.name}"
    else:
        sources = [*stems.items(), *([("mixture", mixture)] if mixture else [])]
        try:
            mark = fingerprint(sources)
        except OSError as error:
            problem = problem or f"{error.filename} cannot be read: {error.strerror}."
            mark = short_hash(track.name, problem)
    flags = (*track.flags, *flags, *manifest.errata.get(track.name, ()))
    return Track(
        track.name, manifest.name, split, stems, mixture, manifest.quantise, mark, flags, problem
    )
