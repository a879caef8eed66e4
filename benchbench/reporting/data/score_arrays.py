"""The per-track table as dense arrays: for every series a value for each model and track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.metrics.names import REFERENCE_FREE
from benchbench.reporting.data.track_rows import TrackRows
from benchbench.stats.groups import group_by

__all__ = ["ScoreArrays", "Series", "SeriesArray", "score_arrays"]

Floats = npt.NDArray[np.float64]

_SERIES: Final = ("dataset", "reference_set", "target", "protocol", "metric", "metric_version")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Numbers that may share a column."""

    dataset: str
    references: str
    target: str
    protocol: str
    metric: str
    version: int

    @property
    def label(self) -> str:
        """The name shown to readers."""
        return f"{self.protocol} {self.metric}"

    @property
    def ranks(self) -> bool:
        """Whether the numbers rank separators; symptoms do not."""
        return self.protocol != REFERENCE_FREE.name


@dataclass(frozen=True, slots=True)
class SeriesArray:
    """One series; every array is of shape (models, tracks).

    Parameters
    ----------
    medians, means
        The value on each track, frames aggregated by median or mean; NaN where there is none.
    given
        The share of frames that have a value; 0 where there is no row.
    ill_conditioned
        The share of values that are ill-conditioned; NaN where there is no row.
    listed
        Of shape (models,): whether the model has any row, with or without a value.
    framed
        Whether the protocol has several frames per track.
    """

    series: Series
    models: tuple[str, ...]
    tracks: tuple[str, ...]
    medians: Floats
    means: Floats
    given: npt.NDArray[np.floating]
    ill_conditioned: npt.NDArray[np.float32]
    listed: npt.NDArray[np.bool_]
    framed: bool

    def values(self, frames: str | None) -> Floats:
        """The value on each track, with frames aggregated as `frames` says."""
        return self.means if frames == "mean" else self.medians


@dataclass(frozen=True)
class ScoreArrays:
    """All series over one list of models and, for each data set, one list of tracks."""

    models: tuple[str, ...]
    tracks: dict[str, tuple[str, ...]]
    grids: dict[Series, SeriesArray]


def score_arrays(rows: TrackRows) -> ScoreArrays:
    """Convert the broadband rows of per-track tables to dense arrays."""
    parts = [
        part if broad.all() else part[broad]
        for part in rows.parts
        for broad in [part["band_lo_hz"].isna()]
    ]
    parts = [part for part in parts if len(part)]
    models = tuple(TrackRows(tuple(parts)).present("model"))
    tracks = _tracks(parts)
    framed = {
        str(name) for part in parts for name in part.loc[part["frames"] > 1, "protocol"].unique()
    }
    of_model = _places(parts[:1], "model", models)
    of_track = {name: _places(parts[:1], "track", own) for name, own in tracks.items()}
    grids: dict[Series, SeriesArray] = {}
    for part in parts:
        model, track = (part[name].array.codes for name in ("model", "track"))
        given = 1.0 - part["missing"].to_numpy(dtype=np.float64) / part["frames"].to_numpy()
        columns = {name: part[name].to_numpy() for name in ("value", "mean", "ill_conditioned")}
        for members in group_by(part, _SERIES).members():
            series = _series(part, int(members[0]))
            if series not in grids:
                here = tracks[series.dataset]
                grids[series] = _empty(series, models, here, series.protocol in framed)
            grid = grids[series]
            place = of_model[model[members]], of_track[series.dataset][track[members]]
            grid.listed[place[0]] = True
            grid.medians[place] = columns["value"][members]
            if grid.framed:
                grid.means[place] = columns["mean"][members]
            grid.given[place] = given[members]
            grid.ill_conditioned[place] = columns["ill_conditioned"][members]
    return ScoreArrays(models, tracks, grids)


def _tracks(parts: Sequence[pd.DataFrame]) -> dict[str, tuple[str, ...]]:
    """The tracks of each data set, sorted."""
    if not parts:
        return {}
    datasets, names = (parts[0][name].cat.categories for name in ("dataset", "track"))
    found = np.zeros((len(datasets), len(names)), dtype=bool)
    for part in parts:
        found[part["dataset"].array.codes, part["track"].array.codes] = True
    words = np.array([str(name) for name in names], dtype=object)
    listed = {
        str(name): words[held] for name, held in zip(datasets, found, strict=True) if held.any()
    }
    return {name: tuple(sorted(listed[name])) for name in sorted(listed)}


def _empty(
    series: Series, models: Sequence[str], tracks: tuple[str, ...], framed: bool
) -> SeriesArray:
    """Arrays without any row. Without frames, shares are 0 or 1, which half the width holds."""
    shape = len(models), len(tracks)
    medians = np.full(shape, np.nan)
    return SeriesArray(
        series,
        tuple(models),
        tracks,
        medians,
        np.full(shape, np.nan) if framed else medians,
        np.zeros(shape, np.float64 if framed else np.float32),
        np.full(shape, np.nan, np.float32),
        np.zeros(len(models), dtype=bool),
        framed,
    )


def _series(rows: pd.DataFrame, place: int) -> Series:
    text = [str(rows[name].iat[place]) for name in _SERIES[:-1]]
    return Series(
        text[0], text[1], text[2], text[3], text[4], int(str(rows[_SERIES[-1]].iat[place]))
    )


def _places(
    parts: Sequence[pd.DataFrame], column: str, words: Sequence[str]
) -> npt.NDArray[np.int64]:
    """The place in `words` of each category of a text column, -1 for others."""
    place = {word: index for index, word in enumerate(words)}
    categories = parts[0][column].cat.categories if parts else ()
    return np.array([place.get(str(word), -1) for word in categories], dtype=np.int64)
