"""Score stem files against reference files, without a model or a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from benchbench.datasets.stem_files import TrackFiles, find_tracks, pair_tracks, readable, renamed
from benchbench.errors import (
    BenchbenchError,
    NothingToCompareError,
    OutputError,
    UsageError,
    closest,
)
from benchbench.io.audio.containers import name_without_ending
from benchbench.metrics.pairing.stem_names import canonical, split_track_and_stem
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.plugins.metric_catalog import MetricCatalog
from benchbench.scoring.file_scores import FileScorer
from benchbench.scoring.metric_folders import resolve_metrics
from benchbench.scoring.metric_process import take_faults
from benchbench.scoring.score_rows import Labels

__all__ = ["score"]


def score(
    references: Path | str,
    estimates: Path | str,
    *,
    metrics: Sequence[str] = ("standard",),
    renames: Mapping[str, str] | None = None,
    metric_paths: Sequence[Path] = (),
    metric_options: Mapping[str, Mapping[str, AnyValue]] | None = None,
    allow_truncated: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    on_failure: Callable[[str, BenchbenchError], None] | None = None,
) -> pa.Table:
    """Score a folder of stems against a folder of references, or one file against another.

    Both folders hold ``<stem>.<ext>`` (one track), ``<track>/<stem>.<ext>`` with or without
    parent folders, or ``<track>_(Vocals).<ext>`` as separators write it, in any supported
    format. Tracks and stems are paired by name. Two-stem estimates of a track with more stems are
    scored against vocals and the sum of the rest; files that are sums of others, such as
    ``accompaniment`` beside ``drums``, are never added to anything.

    Parameters
    ----------
    references, estimates
        Two folders, or two files.
    metrics
        Names of protocols or of groups of them.
    renames
        The references' names of estimated stems or tracks that are named otherwise, such as
        ``{"lead": "vocals"}``.
    allow_truncated
        Whether truncated files are read up to their end, instead of raising an error.
    tell
        Called with each note about the scores.
    on_failure
        Called with the name of each track that cannot be scored, and the error; the others are
        scored. None: the first such track raises.

    Returns
    -------
    Rows of schema `benchbench.results.schema.SCORES`; ``model`` is the estimates' folder name and
    ``dataset`` the references'.

    Raises
    ------
    UsageError
        When a folder is missing, or `renames` holds a name that no estimate has.
    NothingToCompareError
        When nothing can be paired.
    AudioError
        When a file cannot be read, or paired files differ in sampling rate or length.

    Examples
    --------
    >>> import benchbench
    >>> table = benchbench.score("songs", "estimates", metrics=["usdr"])
    >>> scores = table.to_pandas()
    >>> scores[(scores["track"] == "first") & (scores["metric"] == "SDR")]["target"].tolist()
    ['vocals', 'drums', 'bass', 'other']
    """
    protocols = resolve_metrics(metrics, MetricCatalog(tuple(metric_paths)), metric_options, tell)
    reference_tracks, estimate_tracks = _tracks(Path(references)), _tracks(Path(estimates))
    estimate_tracks = renamed(estimate_tracks, renames or {})
    if Path(references).is_file() and Path(estimates).is_file():
        estimate_tracks = [_renamed(estimate_tracks[0], reference_tracks[0])]
    pairs = pair_tracks(reference_tracks, estimate_tracks)
    if not pairs:
        raise NothingToCompareError(
            f"No track of {references} is in {estimates}.",
            hint=_suggestion(reference_tracks, estimate_tracks)
            + f"Tracks are paired by name. References: {_few(reference_tracks)}. "
            f"Estimates: {_few(estimate_tracks)}.",
        )
    for track in reference_tracks:
        if all(track is not reference for reference, _ in pairs):
            tell(f"{track.name} has no estimates and is left out.")
    for track in estimate_tracks:
        if all(track is not estimate for _, estimate in pairs):
            tell(f"{track.name} has no references and is left out.")
    model, dataset = (readable(Path(place).resolve().name) for place in (estimates, references))
    scorer = FileScorer(protocols, tell, allow_truncated)
    tables = []
    failure: BenchbenchError | None = None
    for reference, estimate in pairs:
        labels = Labels(None, "", model, dataset, reference.name)
        try:
            _require_clear(reference, estimate)
            tables.append(scorer.score(labels, reference.stems, estimate.stems))
            for fault in take_faults():
                tell(f"{reference.name}: {fault}")
        except OutputError:
            raise
        except BenchbenchError as error:
            if on_failure is None or len(pairs) == 1:
                raise
            failure = error
            on_failure(reference.name, error)
    if not tables and failure is not None:
        raise failure
    return pa.concat_tables(tables)


def _tracks(place: Path) -> list[TrackFiles]:
    """The tracks of a folder; a file counts as a track with one stem."""
    if place.is_file():
        bare = readable(name_without_ending(place.name))
        track, stem = split_track_and_stem(bare) or (bare, canonical(bare))
        return [TrackFiles(track, place.parent, {stem: place})]
    if not place.is_dir():
        raise UsageError(
            f"{place} is not a folder or file.", hint="Name a folder with stems, or a file."
        )
    tracks = find_tracks(place)
    if not tracks:
        raise UsageError(
            f"{place} holds no audio.",
            hint="<stem>.<ext> or <track>/<stem>.<ext> is needed, or a single file.",
        )
    return tracks


def _renamed(estimate: TrackFiles, reference: TrackFiles) -> TrackFiles:
    """The estimate's single stem, renamed to the reference's: two files always form a pair."""
    (path,) = estimate.stems.values()
    return TrackFiles(reference.name, path.parent, {next(iter(reference.stems)): path})


def _require_clear(*tracks: TrackFiles) -> None:
    for track in tracks:
        if track.problem:
            raise UsageError(track.problem, hint="Keep one of them.")


def _suggestion(references: Sequence[TrackFiles], estimates: Sequence[TrackFiles]) -> str:
    for track in estimates:
        guess = closest(track.name, [other.name for other in references])
        if guess:
            return f"Did you mean {guess!r} by {track.name!r}? "
    return ""


def _few(tracks: Sequence[TrackFiles]) -> str:
    names = [track.name for track in tracks]
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
