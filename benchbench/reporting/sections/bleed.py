"""Bleed: the level of each source in each stem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from benchbench.reporting.data.leaderboards import TARGETS

__all__ = ["BLEED", "Bleed", "bleeds"]

BLEED: Final = "bleed"
"""The protocol whose rows are shown here."""

MODELS = 8


@dataclass(frozen=True, slots=True)
class Bleed:
    """One model: rows are its stems, columns the sources in them, values in dB with a heat class."""

    model: str
    sources: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[float | None, str], ...]], ...]


def bleeds(
    table: pd.DataFrame, dataset: str, references: str, names: tuple[str, ...]
) -> tuple[Bleed, ...]:
    """The matrices of the first models, medians over tracks."""
    rows = table[
        (table["dataset"] == dataset)
        & (table["reference_set"] == references)
        & (table["protocol"] == BLEED)
    ]
    if rows.empty:
        return ()
    medians = rows.groupby(["model", "target", "metric"], observed=True)["value"].median()
    held = {
        (str(row["model"]), str(row["target"]), str(row["metric"]).removeprefix("bleed:")): float(
            row["value"]
        )
        for row in medians.reset_index().to_dict("records")
    }
    stems = tuple(sorted({key[1] for key in held}, key=_order))
    sources = tuple(sorted({key[2] for key in held}, key=_order))
    present = {key[0] for key in held}
    return tuple(
        Bleed(
            name,
            sources,
            tuple(
                (
                    stem,
                    tuple(
                        _cell(held.get((name, stem, source)), stem == source) for source in sources
                    ),
                )
                for stem in stems
            ),
        )
        for name in [one for one in names if one in present][:MODELS]
    )


def _order(name: str) -> tuple[int, str]:
    return (TARGETS.index(name) if name in TARGETS else len(TARGETS), name)


def _cell(value: float | None, wanted: bool) -> tuple[float | None, str]:
    if value is None or np.isnan(value):
        return None, "none"
    if wanted:
        return value, "wanted"
    return value, f"l{int(np.clip((value + 40) // 8, 0, 5))}"
