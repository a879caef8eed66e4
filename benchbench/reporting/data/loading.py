"""Load stored rows as tables that fit in memory: one row per track instead of per frame.

A large results folder has tens of millions of rows in tens of thousands of parts. They are read
model by model and aggregated immediately, so that memory depends on the largest models and not
on the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from benchbench.errors import DamagedResultsError, NothingToCompareError, UnknownNameError
from benchbench.metrics.arrays.heap import return_freed_memory
from benchbench.metrics.names import LISTENING
from benchbench.reporting.data.gaps import gaps_of
from benchbench.reporting.data.track_rows import TrackRows, compact, joined, track_rows
from benchbench.results.parquet_parts import (
    UNREADABLE,
    encoded,
    folders,
    read_part,
    read_parts,
    while_compacted,
)
from benchbench.results.rated_models import renamed, scored_models
from benchbench.results.schema import SCORES
from benchbench.results.shortage import raise_if_short
from benchbench.results.store import Results, open_results
from benchbench.scoring.metric_descriptions import describe_folders
from benchbench.stats import newest, per_track
from benchbench.stats.groups import group_by
from benchbench.stats.tracks import KEYS

__all__ = ["LoadedResults", "read", "stored_models"]

_LEFT_OUT: Final = {"cell_id", "separation_id", "metric_hash"}
_WANTED: Final = tuple(name for name in SCORES.names if name not in _LEFT_OUT)
_WANTED_TYPES: Final = pa.schema([encoded(SCORES).field(name) for name in _WANTED])
_IN_TIME: Final = ("windows", "bsseval-v4")
_AT_ONCE: Final = 2  # models; one is read from disk while another is aggregated


@dataclass(frozen=True)
class LoadedResults:
    """The input of a report.

    Parameters
    ----------
    roots
        The results folders.
    tracks
        One row per model, track and series (see `benchbench.stats.per_track`): ``value`` is the
        median over frames, ``mean`` the mean.
    frames
        SDR by frame: model, dataset, track, target, reference_set, protocol, start_s, duration_s,
        value; from the windows protocol where a model has it, else from BSS Eval.
    history
        One row per track and run.
    separations
        Status and cost of every separation.
    gaps
        Reasons for missing broadband numbers: columns model, dataset, target, reference_set,
        protocol, metric, metric_version, reason, tracks, expected (see
        `benchbench.reporting.data.gaps`).
    runs
        The facts of every run, oldest first.
    """

    roots: tuple[Path, ...]
    tracks: TrackRows
    frames: pd.DataFrame
    history: pd.DataFrame
    separations: pd.DataFrame
    gaps: pd.DataFrame
    runs: tuple[dict[str, Any], ...]


def stored_models(roots: Sequence[Path]) -> list[str]:
    """The models that have scores, listed from folder names alone."""
    return sorted({model for root in roots for model in Results(root).models()})


def read(roots: Sequence[Path], models: Sequence[str] | None = None) -> LoadedResults:
    """Read and aggregate results folders.

    Raises
    ------
    NothingToCompareError
        When there is not a single score.
    UnknownNameError
        When a model that was asked for has no scores.
    DamagedResultsError
        When a part cannot be read.
    """
    stored = [open_results(root) for root in roots]
    known = stored_models(roots)
    for name in models or ():
        if name not in known:
            raise UnknownNameError("model", name, known, where=" in these results")
    wanted = [name for name in known if models is None or _is_wanted(name, models)]
    runs = sorted(
        (run for results in stored for run in results.runs()),
        key=lambda run: str(run.get("started", "")),
    )
    describe_folders(runs=runs)
    order = [str(run.get("run_id")) for run in runs]
    if not wanted:
        raise NothingToCompareError(
            f"There are no scores in {', '.join(map(str, roots))}.",
            hint="Make some with `bench run`.",
        )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        logs = [pool.submit(results.separations_frame) for results in stored]
        tables = list(pool.map(lambda name: _of_model(stored, name, order), wanted))
    parts, *others = (list(kind) for kind in zip(*tables, strict=True))
    tables.clear()
    tracks, (frames, history, gaps) = track_rows(parts), map(joined, others)
    if LISTENING.name in tracks.present("protocol"):
        table = tracks.whole()
        places = scored_models(table)
        table, history, gaps = (renamed(rows, places) for rows in (table, history, gaps))
        tracks = TrackRows((table,))
    if models is not None:
        tracks = tracks.of_models(models)
    separations = logs[0].result() if len(logs) == 1 else joined([log.result() for log in logs])
    logs.clear()
    known_here = separations["model"].isin(wanted)
    separations = separations if known_here.all() else separations[known_here]
    _return_memory()
    return LoadedResults(
        tuple(root.resolve() for root in roots),
        tracks,
        frames,
        history,
        separations,
        gaps,
        tuple(runs),
    )


def _is_wanted(name: str, models: Sequence[str]) -> bool:
    """Whether it is one of the models, or may be a rating of one of them."""
    return name in models or name.partition(":")[2] in models


def _of_model(
    stored: Sequence[Results], model: str, order: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    scores = scores_of(stored, model)
    latest = newest(scores, order)
    tracks = per_track(latest, "median")
    # per_track has one row per group, in the order of group_by.
    if len(tracks) == len(latest):  # no frames: the mean of one value
        tracks["mean"] = tracks["value"]
    else:
        tracks["mean"] = group_by(latest, KEYS).mean(latest["value"].to_numpy(dtype=np.float64))
    tracks["reason"] = tracks["reason"].astype("category")
    several = scores["run_id"].nunique() > 1
    broad = scores[scores["band_lo_hz"].isna()] if several else scores.iloc[:0]
    past = per_track(broad, "median", runs="each")
    answer = compact(tracks), _in_time(latest), past, gaps_of(latest)
    del scores, latest, tracks, broad
    _return_memory()
    return answer


def _return_memory() -> None:
    """Hand the memory of rows that are no longer needed back to the system."""
    pa.default_memory_pool().release_unused()
    return_freed_memory()


def _in_time(scores: pd.DataFrame) -> pd.DataFrame:
    """The SDR of every frame, stored compactly: only this table grows with the frames."""
    framed = scores["start_s"].notna() & scores["band_lo_hz"].isna() & (scores["metric"] == "SDR")
    held = set(scores.loc[framed, "protocol"].unique())
    chosen = next((name for name in _IN_TIME if name in held), "")
    columns = ["model", "dataset", "track", "target", "reference_set", "protocol"]
    numbers = ["start_s", "duration_s", "value"]
    rows = scores.loc[framed & (scores["protocol"] == chosen), [*columns, *numbers]]
    return rows.astype(dict.fromkeys(numbers, "float32")).reset_index(drop=True)


def scores_of(stored: Sequence[Results], model: str) -> pd.DataFrame:
    """Every score row of one model, text columns as categoricals."""
    places = [results.scores_path("x", model, "x").parent.parent for results in stored]
    try:
        tables = [while_compacted(partial(_tables, place)) for place in places]
        table = pa.concat_tables(chain.from_iterable(tables))
    except UNREADABLE as error:
        raise_if_short(error, stored[0].root)
        raise DamagedResultsError(
            f"Scores of {model} cannot be read: {error}.",
            hint="`bench doctor RESULTS --repair` sets damaged parts aside.",
        ) from error
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(
        split_blocks=True, self_destruct=True
    )
    return frame


def _tables(place: Path) -> list[pa.Table]:
    """The score rows of a model's folder; each cell is read once."""
    every = folders(place).values()
    if any(folder.compacted and len(folder.loose + folder.compacted) > 1 for folder in every):
        return [read_parts(place, encoded(SCORES), "cell_id", _WANTED)]
    # File by file: pyarrow's dataset API costs more than reading these small parts.
    paths = [path for folder in every for path in (*folder.loose, *folder.compacted)]
    return [read_part(path, _WANTED_TYPES) for path in paths]
