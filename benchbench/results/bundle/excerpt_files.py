"""Copy excerpts of the kept audio of a results folder into a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from benchbench.io.names import file_name
from benchbench.io.plain_files import is_plain_below
from benchbench.results.bundle.excerpts import copy_excerpt, sampled_tracks
from benchbench.results.bundle.layout import stem_excerpt, track_excerpt
from benchbench.results.bundle.manifest import Excerpt
from benchbench.results.bundle.selection import Selection

__all__ = ["write_excerpts"]


def write_excerpts(
    selection: Selection,
    folder: Path,
    tracks: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Iterator[Excerpt]:
    """Write excerpts of some tracks, if the licence of the data set allows them.

    Parameters
    ----------
    selection
        The submitted rows, and the results folder with the kept stems.
    folder
        The bundle.
    tracks, seconds
        Number of tracks, and the longest excerpt.
    tell
        Called with the reason for every excerpt that is missing.
    """
    if not tracks:
        return
    if not selection.dataset_facts.get("audio_excerpts"):
        tell(
            f"No excerpts: the licence of {selection.dataset} does not allow them, so the scores "
            "cannot be computed again by others."
        )
        return
    rows = selection.separations
    for track in sampled_tracks(map(str, rows["track"].unique()), tracks):
        own = rows[(rows["track"] == track) & (rows["status"] == "ok")]
        excerpt = _write_excerpt(selection, folder, own, track, seconds)
        if excerpt is None:
            tell(f"No excerpt of {track}: its stems were not kept (bench run --keep-stems yes).")
        else:
            yield excerpt


def _write_excerpt(
    selection: Selection, folder: Path, rows: pd.DataFrame, track: str, seconds: float
) -> Excerpt | None:
    results, pairs = selection.results, []
    for row in rows.to_dict("records"):
        stems = [results.stem_audio(str(row["separation_id"])) / f"{file_name(stem)}.flac"
                 for stem in str(row["stems"]).split("+")]  # fmt: skip
        if all(is_plain_below(results.root, path) for path in stems):
            pairs += [
                (path, stem_excerpt(folder, str(row["separation_id"]), path.stem)) for path in stems
            ]
    if not pairs:
        return None
    mark = str(rows["track_hash"].iloc[0])
    pairs += [
        (path, track_excerpt(folder, mark, path.stem))
        for path in sorted(results.track_audio(mark).glob("*.flac"))
        if is_plain_below(results.root, path)
    ]
    sources, targets = zip(*pairs, strict=True)
    start, length, whole = copy_excerpt(sources, targets, mark, seconds)
    return Excerpt(track, mark, float(start), length, whole)
