"""Assign audio files to stems and tracks by the folder and file names that common tools write.

Data sets, folders of estimates and `benchbench.score` all pair files through this module.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchbench.errors import UsageError
from benchbench.io.audio.containers import is_hidden, looks_like_audio, name_without_ending
from benchbench.metrics.pairing.stem_names import canonical, common_track, name_key

__all__ = [
    "TrackFiles",
    "find_stems",
    "find_tracks",
    "pair_tracks",
    "readable",
    "renamed",
    "subfolders",
]

DEPTH = 4
"""Number of folder levels that are searched, such as ``<model>/<split>/<track>``."""


@dataclass(frozen=True, slots=True)
class TrackFiles:
    """The files of a track.

    Parameters
    ----------
    name
        The track.
    folder
        The folder of its files.
    stems
        Stem to file, including the mixture.
    alias
        The part of the file names before the stem's name; "" if there is none.
    problem
        Why the files are ambiguous; "" if they are not.
    """

    name: str
    folder: Path
    stems: Mapping[str, Path]
    alias: str = ""
    problem: str = ""


def find_stems(folder: Path) -> dict[str, Path]:
    """The audio files of one track's folder, by stem.

    Stems get standard names: ``Vocals.WAV`` and ``song - vocals.flac`` are ``vocals``.

    Raises
    ------
    UsageError
        When two files match one stem.
    """
    files = _audio_files(folder)
    divided = common_track([name_without_ending(path.name) for path in files])
    if len({track for track, _ in divided.values()}) != 1:
        divided = {}
    track = _track(folder.name, folder, files, divided)
    if track.problem:
        raise UsageError(track.problem, hint="Keep one of them.")
    return dict(track.stems)


def find_tracks(root: Path) -> list[TrackFiles]:
    """Every track in and below a folder, sorted by folder name.

    Supported are ``<stem>.wav`` (the folder is one track), ``<track>/<stem>.wav``, folders above
    these, such as ``test/<track>/<stem>.wav``, and ``<track>_(Vocals).wav`` of many tracks in one
    folder. If two tracks have the same name, their parent folders are added to it. Hidden files
    and files of operating systems are left out.
    """
    tracks = list(_search(root, root, DEPTH))
    count = Counter(track.name for track in tracks)
    return [
        replace(track, name="/".join(readable(part) for part in track.folder.relative_to(root).parts)
                or track.name)
        if count[track.name] > 1
        else track
        for track in tracks
    ]  # fmt: skip


def pair_tracks(
    references: Sequence[TrackFiles], estimates: Sequence[TrackFiles]
) -> list[tuple[TrackFiles, TrackFiles]]:
    """Pair the tracks of the estimates with those of the references by name.

    Identical names are paired first, then names that differ in case, Unicode form or how words
    are joined, then the last folder's name, then the prefix of the file names, also after a
    number. If both sides have a single track, the two are paired whatever their names.
    """
    if len(references) == len(estimates) == 1:
        return [(references[0], estimates[0])]
    pairs = []
    left = list(estimates)
    for track in references:
        for keys in (_exact, _spelled, _last, _aliased):
            wanted = keys(track)
            matches = [other for other in left if wanted & keys(other)]
            if len(matches) == 1:
                pairs.append((track, matches[0]))
                left.remove(matches[0])
                break
    return pairs


def renamed(tracks: Sequence[TrackFiles], renames: Mapping[str, str]) -> list[TrackFiles]:
    """The tracks under other names; each name is that of a stem or of a track.

    Raises
    ------
    UsageError
        When a name occurs nowhere, or two stems of a track get the same one.
    """
    new = {name_key(canonical(old)): name for old, name in renames.items()}
    names = [name for track in tracks for name in (track.name, *track.stems)]
    keys = {name_key(canonical(name)) for name in names}
    unknown = [old for old in renames if name_key(canonical(old)) not in keys]
    if unknown:
        raise UsageError(
            f"No estimate is named {', '.join(unknown)}.",
            hint=f"Names to rename: {', '.join(dict.fromkeys(names))}.",
        )
    return [_under_other_names(track, new) for track in tracks] if new else list(tracks)


def _under_other_names(track: TrackFiles, new: Mapping[str, str]) -> TrackFiles:
    stems: dict[str, Path] = {}
    for stem, path in track.stems.items():
        name = canonical(new.get(name_key(canonical(stem)), stem))
        if name in stems:
            raise UsageError(f"{path.name} and {stems[name].name} would both be {name}.")
        stems[name] = path
    return replace(track, name=new.get(name_key(canonical(track.name)), track.name), stems=stems)


def readable(name: str) -> str:
    """A file's name as text that can be stored: composed, with invalid UTF-8 bytes escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def subfolders(folder: Path) -> list[Path]:
    """The subfolders sorted by name, without hidden ones and those of operating systems."""
    return sorted(path for path in folder.iterdir() if not is_hidden(path.name) and path.is_dir())


def _search(root: Path, folder: Path, depth: int) -> Iterator[TrackFiles]:
    files = _audio_files(folder)
    if files:
        yield from _tracks_of(folder, files, at_root=folder == root)
    if depth and (not files or folder == root):
        for path in subfolders(folder):
            yield from _search(root, path, depth - 1)


def _tracks_of(folder: Path, files: Sequence[Path], *, at_root: bool) -> Iterator[TrackFiles]:
    """One track, or several whose names precede the stem names."""
    divided = common_track([name_without_ending(path.name) for path in files])
    names = list(dict.fromkeys(track for track, _ in divided.values()))
    if len(names) > 1:
        for name in names:
            paths = [path for path in files if divided[name_without_ending(path.name)][0] == name]
            yield _track(name, folder, paths, divided)
        return
    track = _track(folder.resolve().name, folder, files, divided)
    yield replace(track, name=readable(names[0])) if names and at_root else track


def _track(
    name: str, folder: Path, files: Iterable[Path], divided: Mapping[str, tuple[str, str]]
) -> TrackFiles:
    stems: dict[str, Path] = {}
    problem = alias = ""
    for path in files:
        bare = name_without_ending(path.name)
        alias, stem = divided.get(bare) or ("", canonical(readable(bare)))
        if stem in stems:
            problem = f"{folder} holds {stems[stem].name} and {path.name}: which is {stem}?"
        stems[stem] = path
    return TrackFiles(readable(name), folder, stems, readable(alias), problem)


def _audio_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if looks_like_audio(path))


def _exact(track: TrackFiles) -> set[str]:
    return {track.name}


def _spelled(track: TrackFiles) -> set[str]:
    return {name_key(track.name)}


def _last(track: TrackFiles) -> set[str]:
    return {name_key(track.name.rpartition("/")[2])}


def _aliased(track: TrackFiles) -> set[str]:
    names = {name_key(name) for name in (track.name.rpartition("/")[2], track.alias) if name}
    return names | {name.partition("_")[2] for name in names if name.partition("_")[0].isdecimal()}
