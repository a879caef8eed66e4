"""Find the scored model and data set that an imported rating belongs to.

The answers of an exported test come back under the source's name and the name of the stimulus:
``panel:irm:2stems`` rates the stems that the same results hold as ``irm:2stems``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
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
        model if the name without the source is that model's, and to the data set of that model
        that holds most of the rated tracks. Other models of the same test keep their names and get
        that data set. If two tests rate the same model, it has no entry, because ratings of two
        tests do not share a scale.
    """
    heard = rows["protocol"] == LISTENING.name
    if not heard.any():
        return {}
    scored, rated = _tracks(rows[~heard]), _tracks(rows[heard])
    places: dict[Place, Place] = {}
    for (model, dataset), tracks in rated.items():
        source, _, name = model.partition(":")
        for candidate in (name, *_mixtures(name, scored)):
            if candidate != name and (f"{source}:{candidate}", dataset) in rated:
                continue  # the anchor and the baseline were both rated
            place = _place(candidate, dataset, tracks, scored)
            if place is not None:
                places[model, dataset] = place
                break
    count = Counter(places.values())
    joined = {model: place for model, place in places.items() if count[place] == 1}
    return joined | _companions(rated, joined)


def _place(
    model: str, dataset: str, tracks: set[str], scored: Mapping[Place, set[str]]
) -> Place | None:
    """The data set of a scored model that holds most of the tracks; None if there is no such one."""
    shared = {place: len(tracks & held) for place, held in scored.items() if place[0] == model}
    most = max(shared.values(), default=0)
    places = [place for place, number in shared.items() if number == most > 0]
    same = [place for place in places if place[1] == dataset] or places
    return same[0] if len(same) == 1 else None


def _companions(rated: Collection[Place], joined: Mapping[Place, Place]) -> dict[Place, Place]:
    """The rated models that no score belongs to, with the data set of the rest of their test."""
    datasets: dict[Place, set[str]] = {}
    for (model, dataset), place in joined.items():
        datasets.setdefault((model.partition(":")[0], dataset), set()).add(place[1])
    companions: dict[Place, Place] = {}
    for model, dataset in set(rated) - set(joined):
        homes = datasets.get((model.partition(":")[0], dataset), set())
        if len(homes) == 1:
            companions[model, dataset] = (model, homes.pop())
    return companions


def renamed(rows: pd.DataFrame, places: Mapping[Place, Place]) -> pd.DataFrame:
    """The rows, with ratings under the names of `scored_models`.

    The ratings also get the reference set that most models of the data set are scored against, so
    that they stand beside the metrics; a rating itself depends on the rated target only.
    """
    if not places or rows.empty:
        return rows
    text = ["model", "dataset", "reference_set"]
    changed = rows.astype(dict.fromkeys(text, "object"))
    heard = changed["protocol"] == LISTENING.name
    sets = _usual_sets(changed[~heard])
    for (model, dataset), (scored, home) in places.items():
        rated = heard & (changed["model"] == model) & (changed["dataset"] == dataset)
        for target in changed.loc[rated, "target"].unique():
            chosen = rated & (changed["target"] == target)
            if (home, str(target)) in sets:
                changed.loc[chosen, "reference_set"] = sets[home, str(target)]
        changed.loc[rated, ["model", "dataset"]] = [scored, home]
    return changed.astype(dict.fromkeys(text, "category"))


def _usual_sets(scored: pd.DataFrame) -> dict[tuple[str, str], str]:
    """The reference set with most models, by data set and target."""
    keys = ["dataset", "target", "reference_set"]
    sizes = scored.groupby(keys, observed=True)["model"].nunique().sort_values(kind="stable")
    return {(str(dataset), str(target)): str(name) for dataset, target, name in sizes.index}


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
