"""Find the scored model and data set that an imported rating belongs to.

The answers of an exported test come back under the source's name and the name of the stimulus:
``panel:irm:2stems`` rates the stems that the same results hold as ``irm:2stems``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import pandas as pd

from benchbench.metrics.names import LISTENING

__all__ = ["renamed", "scored_models"]

MIXTURE: Final = "mixture"
"""The anchor of an exported test; the baseline of this name returns the same audio as every stem."""

Place = tuple[str, str]
"""A model and a data set."""


def scored_models(rows: pd.DataFrame) -> dict[Place, Place]:
    """The scored model and data set of every imported rating that has one.

    Parameters
    ----------
    rows
        Score rows with the columns model, dataset, track and protocol.

    Returns
    -------
    dict
        (rated model, its data set) to (scored model, its data set). A rating belongs to a scored
        model if the name without the source is that model's, and if one data set of that model
        holds all rated tracks. If two tests rate the same model, neither has an entry, because
        ratings of two tests do not share a scale.
    """
    heard = rows["protocol"] == LISTENING.name
    if not heard.any():
        return {}
    scored = _tracks(rows[~heard])
    found: dict[Place, Place] = {}
    for (model, dataset), tracks in _tracks(rows[heard]).items():
        name = model.partition(":")[2]
        for own in (name, *_mixtures(name, scored)):
            places = [place for place, held in scored.items() if place[0] == own and tracks <= held]
            same = [place for place in places if place[1] == dataset] or places
            if len(same) == 1:
                found[model, dataset] = same[0]
                break
    count = Counter(found.values())
    return {rated: place for rated, place in found.items() if count[place] == 1}


def renamed(rows: pd.DataFrame, places: Mapping[Place, Place]) -> pd.DataFrame:
    """The rows, with ratings under the names of `scored_models`."""
    if not places or rows.empty:
        return rows
    changed = rows.astype({"model": "object", "dataset": "object"})
    for (model, dataset), (scored, held_in) in places.items():
        heard = changed["protocol"] == LISTENING.name
        own = heard & (changed["model"] == model) & (changed["dataset"] == dataset)
        changed.loc[own, ["model", "dataset"]] = [scored, held_in]
    return changed.astype({"model": "category", "dataset": "category"})


def _mixtures(name: str, scored: Mapping[Place, set[str]]) -> list[str]:
    """The scored baselines whose estimate of every stem is the anchor."""
    if name != MIXTURE:
        return []
    return sorted({model for model, _ in scored if model.partition(":")[0] == MIXTURE})


def _tracks(rows: pd.DataFrame) -> dict[Place, set[str]]:
    """The tracks of every model and data set."""
    pairs = rows[["model", "dataset", "track"]].drop_duplicates()
    tracks: dict[Place, set[str]] = {}
    for model, dataset, track in pairs.itertuples(index=False):
        tracks.setdefault((str(model), str(dataset)), set()).add(str(track))
    return tracks
