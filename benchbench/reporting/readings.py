"""Stored rows as tables small enough to hold: one row a track instead of one a frame.

A large results folder has tens of millions of rows in tens of thousands of parts. They are read
one model after the other and summed up at once, so that memory follows the largest model and not
the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads

from benchbench.errors import DamagedResultsError, NothingToCompareError, UnknownNameError
from benchbench.schema import SCORES
from benchbench.stats import newest, per_track
from benchbench.store import Results, open_results

__all__ = ["Reading", "read", "stored_models"]

_TEXT: Final = frozenset(field.name for field in SCORES if pa.types.is_string(field.type))
_WANTED: Final = tuple(name for name in SCORES.names if name not in {"cell_id", "separation_id"})


@dataclass(frozen=True)
class Reading:
    """What a report is made from.

    Parameters
    ----------
    roots
        The results folders.
    medians, means
        One row a track (see `benchbench.stats.per_track`), frames summed up by median or mean.
    frames
        The rows of single frames of the protocols that show where in time models fail, one value
        a frame.
    history
        One row a track and run.
    separations
        How every separation ended and what it cost.
    runs
        Every run's facts, oldest first.
    """

    roots: tuple[Path, ...]
    medians: pd.DataFrame
    means: pd.DataFrame
    history: pd.DataFrame
    separations: pd.DataFrame
    runs: tuple[dict[str, Any], ...]


def stored_models(roots: Sequence[Path]) -> list[str]:
    """The models that have scores, by the names of folders alone."""
    found = {
        unquote(path.name.removeprefix("model="))
        for root in roots
        for path in (root / "scores").glob("model=*")
    }
    return sorted(found)


def read(roots: Sequence[Path], models: Sequence[str] | None = None) -> Reading:
    """Read and sum up results folders.

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
    wanted = [name for name in known if models is None or name in models]
    runs = sorted(
        (run for results in stored for run in results.runs()),
        key=lambda run: str(run.get("started", "")),
    )
    order = [str(run.get("run_id")) for run in runs]
    tables = [_of_model(stored, name, order) for name in wanted]
    if not tables:
        raise NothingToCompareError(
            f"There are no scores in {', '.join(map(str, roots))}.",
            hint="Make some with `bench run`.",
        )
    medians, means, history = (_joined(list(kind)) for kind in zip(*tables, strict=True))
    separations = _joined([results.separations_frame() for results in stored])
    separations = separations[separations["model"].isin(wanted)]
    return Reading(
        tuple(root.resolve() for root in roots), medians, means, history, separations, tuple(runs)
    )


def _of_model(
    stored: Sequence[Results], model: str, order: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    scores = scores_of(stored, model)
    several = scores["run_id"].nunique() > 1
    latest = newest(scores, order)
    medians = per_track(latest, "median")
    means = per_track(latest, "mean")
    broad = scores[scores["band_lo_hz"].isna()] if several else scores.iloc[:0]
    history = per_track(broad, "median", runs="each")
    return medians, means, history


def scores_of(stored: Sequence[Results], model: str) -> pd.DataFrame:
    """Every score row of one model, text columns as categoricals."""
    paths = [
        str(path)
        for results in stored
        for path in sorted(results.scores_path("x", model, "x").parent.parent.rglob("*.parquet"))
    ]
    options = pads.ParquetReadOptions(dictionary_columns=set(_TEXT))
    form = pads.ParquetFileFormat(read_options=options)
    try:
        table = pads.dataset(paths, format=form).to_table(columns=list(_WANTED))
    except (pa.ArrowException, OSError) as error:
        raise DamagedResultsError(
            f"Scores of {model} cannot be read: {error}.",
            hint="`bench doctor RESULTS --repair` sets damaged parts aside.",
        ) from error
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas()
    return frame


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    text = {name for table in tables for name in table if name in _TEXT | {"run_id", "status"}}
    plain = [table.astype({name: "object" for name in text if name in table}) for table in tables]
    filled = [table for table in plain if len(table)] or plain[:1]
    joined = pd.concat(filled, ignore_index=True)
    return joined.astype(dict.fromkeys(text & set(joined.columns), "category"))
