"""One side of a comparison: the scores per track of some models, their costs and their origin."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from benchbench.comparison.costs import COST_COLUMNS
from benchbench.errors import BenchbenchError, UnknownNameError
from benchbench.plugins.catalog import Catalog


def full_name(name: str, known: Collection[str]) -> str:
    """The stored model that a name refers to: ``spleeter`` is its only or its default variant.

    A name without a match is returned unchanged.
    """
    if name in known:
        return name
    variants = [model for model in known if model.partition(":")[0] == name]
    if len(variants) == 1:
        return variants[0]
    try:
        default = Catalog(working_directory=None).model(name).name
    except BenchbenchError:
        return name
    return default if default in variants else name


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Parameters
    ----------
    label
        Its name in reports.
    tracks
        Its scores per track, from `benchbench.stats.per_track`.
    hashes
        For each data set the hashes of the versions that were used; empty where unknown.
    failed
        (model, data set, track) of every separation that did not finish.
    costs
        One row per model with `COST_COLUMNS`.
    machine
        Facts about the machine that measured the costs; empty where unknown.
    origin
        Where the numbers come from: paths, run ids, hashes of models.
    scores
        The score rows themselves, if requested.
    generative
        The models that generate a target instead of extracting it from the mixture.
    """

    label: str
    tracks: pd.DataFrame
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    failed: frozenset[tuple[str, str, str]] = frozenset()
    costs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COST_COLUMNS)))
    machine: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    scores: pd.DataFrame | None = None
    generative: frozenset[str] = frozenset()

    @property
    def models(self) -> list[str]:
        """The models with scores or failures, sorted by name."""
        return sorted(
            {*map(str, self.tracks["model"].unique()), *(item[0] for item in self.failed)}
        )

    def only(self, models: Sequence[str]) -> Side:
        """The same side with some of its models.

        Raises
        ------
        UnknownNameError
            Lists the available models.
        """
        keep = {full_name(name, self.models) for name in models}
        for name in keep:
            if name not in self.models:
                raise UnknownNameError("model", name, self.models, where=f" in {self.label}")
        return replace(
            self,
            tracks=self.tracks[self.tracks["model"].isin(keep)],
            failed=frozenset(item for item in self.failed if item[0] in keep),
            costs=self.costs[self.costs["model"].isin(keep)],
            scores=None if self.scores is None else self.scores[self.scores["model"].isin(keep)],
        )
