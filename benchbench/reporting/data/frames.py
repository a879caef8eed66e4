"""Scores over time: the SDR of every frame, and the moments where models fail or differ most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Moments", "Place", "TrackInTime", "moments"]

Floats = npt.NDArray[np.float64]

EXCERPT_S = 9.0
APART_S = 8.0  # places closer together than this count as one


@dataclass(frozen=True, slots=True)
class Place:
    """A moment of a track, and the reason it was selected."""

    track: str
    start_s: float
    value: float | None
    model: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TrackInTime:
    """One track: values of shape (models, frames), NaN where a frame has none."""

    track: str
    starts: Floats
    duration_s: float
    models: tuple[str, ...]
    values: Floats

    @property
    def length_s(self) -> float:
        """End of the last frame in seconds."""
        return float(self.starts[-1]) + self.duration_s


@dataclass(frozen=True)
class Moments:
    """All frames of one target, track by track.

    Parameters
    ----------
    protocol, target
        The protocol and target of the frames.
    tracks
        One entry per track that has frames.
    """

    protocol: str
    target: str
    tracks: dict[str, TrackInTime]

    def worst(self, model: str, count: int = 5) -> tuple[Place, ...]:
        """The model's worst moments; adjacent ones are left out."""
        found: list[tuple[float, str, float]] = []
        for one in self.tracks.values():
            if model in one.models:
                row = one.values[one.models.index(model)]
                order = np.argsort(row, kind="stable")[: 4 * count]
                found += [
                    (float(row[frame]), one.track, float(one.starts[frame]))
                    for frame in order
                    if not np.isnan(row[frame])
                ]
        kept: list[Place] = []
        for value, track, start in sorted(found):
            near = (place for place in kept if place.track == track)
            if all(abs(place.start_s - start) >= APART_S for place in near):
                kept.append(Place(track, start, value, model))
            if len(kept) == count:
                break
        return tuple(kept)

    def widest(self, models: Sequence[str], count: int) -> tuple[Place, ...]:
        """The excerpt of each track where `models` differ most; largest difference first."""
        found = [
            Place(one.track, start, spread, None)
            for one in self.tracks.values()
            for start, spread in _widest(one, models)
        ]
        found.sort(key=lambda place: (-(place.value or 0.0), place.track))
        return tuple(found[:count])


def moments(frames: pd.DataFrame, dataset: str, references: str, target: str) -> Moments | None:
    """The frames of one target, of the protocol that most models have; None without any."""
    rows = frames[
        (frames["dataset"] == dataset)
        & (frames["reference_set"] == references)
        & (frames["target"] == target)
    ]
    if rows.empty:
        return None
    held = rows.groupby("protocol", observed=True)["model"].nunique().sort_index()
    protocol = str(held.index[int(np.argmax(held.to_numpy()))])
    rows = rows[rows["protocol"] == protocol]
    tracks = {
        str(name): _track(str(name), part)
        for name, part in rows.groupby("track", observed=True, sort=True)
    }
    return Moments(protocol, target, tracks)


def _track(name: str, rows: pd.DataFrame) -> TrackInTime:
    starts, column = np.unique(
        rows["start_s"].to_numpy(dtype=np.float64).round(4), return_inverse=True
    )
    words = [str(word) for word in rows["model"].cat.categories]
    codes = rows["model"].cat.codes.to_numpy()
    present = np.unique(codes)
    values = np.full((len(present), len(starts)), np.nan)
    values[np.searchsorted(present, codes), column] = rows["value"].to_numpy(dtype=np.float64)
    duration = float(np.nanmedian(rows["duration_s"].to_numpy(dtype=np.float64)))
    return TrackInTime(name, starts, duration, tuple(words[code] for code in present), values)


def _widest(one: TrackInTime, models: Sequence[str]) -> Iterator[tuple[float, float]]:
    """The start of the excerpt in which the models' means differ most, and the difference."""
    places = [one.models.index(name) for name in models if name in one.models]
    if len(places) < 2:
        return
    values = one.values[places]
    hop = float(np.median(np.diff(one.starts))) if len(one.starts) > 1 else one.duration_s
    width = max(1, min(len(one.starts), round(EXCERPT_S / max(hop, 1e-6))))
    has_value = ~np.isnan(values)
    total = _moving(np.where(has_value, values, 0.0), width)
    number = _moving(has_value.astype(np.float64), width)
    enough = (number >= 0.6 * width).all(axis=0)
    if not enough.any():
        return
    mean = total / np.maximum(number, 1.0)
    spread = np.where(enough, mean.max(axis=0) - mean.min(axis=0), -np.inf)
    best = int(np.argmax(spread))
    yield float(one.starts[best]), float(spread[best])


def _moving(values: Floats, width: int) -> Floats:
    summed = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return np.asarray(summed[:, width:] - summed[:, :-width], dtype=np.float64)
