"""The rule that turns a paired difference into a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from benchbench.stats.wording import count

__all__ = ["VERDICTS", "Tolerances", "verdict_of"]

VERDICTS: Final = {
    "newly_failing": "a track lost its value",
    "worse": "lower by more than the tolerance, statistically significant after correction for all rows",
    "incomparable": "the numbers do not share a protocol, reference set, version or data set",
    "inconclusive": "too few tracks, or too much spread, to tell",
    "same": "the whole interval lies within the tolerance",
    "fixed": "a track without a value gained one",
    "better": "higher by more than the tolerance, statistically significant after correction for all rows",
}
"""Every verdict with its meaning, the most urgent first ("lower" means worse and "higher" means
better, for any direction of the metric)."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """The size of a difference that does not matter, by metric.

    Parameters
    ----------
    default
        In the unit of the metric, for metrics that are not named.
    named
        By ``protocol:metric`` (``usdr:SDR``) or by metric (``SDR``); the former wins.
    """

    default: float = 0.1
    named: Mapping[str, float] = field(default_factory=dict)

    def of(self, protocol: str, metric: str) -> float:
        """The tolerance of one metric."""
        return self.named.get(f"{protocol}:{metric}", self.named.get(metric, self.default))


def verdict_of(row: pd.Series, *, alpha: float, min_tracks: int) -> tuple[str, str]:
    """The verdict on one row, and a note for its reader.

    Parameters
    ----------
    row
        With ``n``, ``gain``, ``gain_lo``, ``gain_hi`` (positive is better), ``above`` and ``below``
        (p values adjusted for the whole table), ``tolerance``, ``lost``, ``found``.
    alpha
        How often a table of equal models may show any "worse" (and likewise any "better").
    min_tracks
        With fewer shared tracks the verdict is inconclusive.

    Notes
    -----
    Worse needs three things at once: the row's own interval lies wholly on the worse side, the mean
    exceeds the tolerance, and the p value adjusted for the whole table is significant. A track that
    lost its value is checked first: leaving out the hardest track would otherwise look like a gain.
    """
    if row["lost"]:
        return "newly_failing", f"{count(int(row['lost']), 'track')} without a value that had one"
    if row["n"] < min_tracks:
        return (
            "inconclusive",
            f"{count(int(row['n']), 'shared track')}; at least {min_tracks} are needed",
        )
    tolerance = row["tolerance"]
    if -tolerance <= row["gain_lo"] and row["gain_hi"] <= tolerance:
        return ("fixed", _found(row)) if row["found"] else ("same", "")
    for word, sure, far, p in (
        ("worse", row["gain_hi"] < 0, row["gain"] < -tolerance, row["below"]),
        ("better", row["gain_lo"] > 0, row["gain"] > tolerance, row["above"]),
    ):
        if sure and far and p <= alpha:
            return word, ""
        if sure and far:
            return "inconclusive", (
                f"{word}, but not significant after correcting for all rows (p = {p:.2f})"
            )
        if sure:
            return "inconclusive", f"{word} by less than the tolerance of {tolerance:g}"
    if row["found"]:
        return "fixed", _found(row)
    return "inconclusive", (
        f"{count(int(row['n']), 'track')} can only detect changes above {row['detectable']:.2g} "
        "(80% power)"
    )


def _found(row: pd.Series) -> str:
    return f"{count(int(row['found']), 'track')} with a value that had none"
