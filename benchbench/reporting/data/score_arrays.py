"""The per-track table as dense arrays: for every series a value for each model and track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.metrics.names import REFERENCE_FREE
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
    given: Floats
    ill_conditioned: Floats
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


def score_arrays(table: pd.DataFrame) -> ScoreArrays:
    """Convert the broadband rows of a per-track table to dense arrays."""
    broad = table["band_lo_hz"].isna()
    rows = table if broad.all() else table[broad].reset_index(drop=True)
    models = tuple(sorted(str(name) for name in rows["model"].unique()))
    tracks: dict[str, tuple[str, ...]] = {}
    for dataset in sorted(str(name) for name in rows["dataset"].unique()):
        here = rows["dataset"] == dataset
        own = (rows["track"] if here.all() else rows.loc[here, "track"]).unique()
        tracks[dataset] = tuple(sorted(str(name) for name in own))
    framed = {str(name) for name in rows.loc[rows["frames"] > 1, "protocol"].unique()}
    of_model = _places(rows["model"], models)
    groups = group_by(rows, _SERIES)
    grids: dict[Series, SeriesArray] = {}
    for members in groups.members():
        series = _series(rows, int(members[0]))
        own_tracks = tracks[series.dataset]
        part = rows.iloc[members]
        where = of_model[members], _places(part["track"], own_tracks)
        shape = len(models), len(own_tracks)
        listed = np.zeros(len(models), dtype=bool)
        listed[where[0]] = True
        medians = _filled(shape, where, part["value"].to_numpy())
        framed_here = series.protocol in framed
        given = 1.0 - part["missing"].to_numpy(dtype=np.float64) / part["frames"].to_numpy()
        grids[series] = SeriesArray(
            series,
            models,
            own_tracks,
            medians,
            _filled(shape, where, part["mean"].to_numpy()) if framed_here else medians,
            np.nan_to_num(_filled(shape, where, given)),
            _filled(shape, where, part["ill_conditioned"].to_numpy()),
            listed,
            framed_here,
        )
    return ScoreArrays(models, tracks, grids)


def _series(rows: pd.DataFrame, place: int) -> Series:
    text = [str(rows[name].iat[place]) for name in _SERIES[:-1]]
    return Series(
        text[0], text[1], text[2], text[3], text[4], int(str(rows[_SERIES[-1]].iat[place]))
    )


def _places(column: pd.Series, words: Sequence[str]) -> npt.NDArray[np.int64]:
    place = {word: index for index, word in enumerate(words)}
    held = column.astype("category")
    found = np.array([place.get(str(word), -1) for word in held.cat.categories], dtype=np.int64)
    return np.asarray(found[held.cat.codes.to_numpy()])


def _filled(
    shape: tuple[int, int],
    where: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    values: npt.NDArray[np.floating],
) -> Floats:
    answer = np.full(shape, np.nan)
    answer[where] = values
    return answer
