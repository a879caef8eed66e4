"""Reasons for missing numbers per model and series, with the number of tracks."""

from __future__ import annotations

from typing import Final

import pandas as pd

from benchbench.reporting.data.score_arrays import Series
from benchbench.results.schema import REASONS
from benchbench.stats.wording import count

__all__ = ["gap_notes", "gaps_of"]

_SERIES: Final = ["dataset", "target", "reference_set", "protocol", "metric", "metric_version"]
_COLUMNS: Final = ["model", *_SERIES, "reason", "tracks", "expected"]


def gaps_of(scores: pd.DataFrame) -> pd.DataFrame:
    """Count the tracks on which broadband numbers are missing, by reason.

    Parameters
    ----------
    scores
        Score rows of one model.

    Returns
    -------
    DataFrame
        One row per series and reason: model, dataset, target, reference_set, protocol, metric,
        metric_version, reason, ``tracks`` and ``expected`` (tracks that have any row).
    """
    broad = scores[scores["band_lo_hz"].isna()]
    gaps = broad[broad["value"].isna() & broad["reason"].notna()]
    if gaps.empty:
        return pd.DataFrame(columns=_COLUMNS)
    keys = ["model", *_SERIES]
    counted = gaps.groupby([*keys, "reason"], observed=True)["track"].nunique()
    expected = broad.groupby(keys, observed=True)["track"].nunique()
    rows = counted.rename("tracks").reset_index()
    return rows.merge(expected.rename("expected").reset_index(), on=keys)[_COLUMNS]


def gap_notes(gaps: pd.DataFrame, series: Series) -> dict[str, str]:
    """A sentence for each model with missing numbers in a series, most common reason first."""
    rows = gaps[
        (gaps["dataset"] == series.dataset)
        & (gaps["target"] == series.target)
        & (gaps["reference_set"] == series.references)
        & (gaps["protocol"] == series.protocol)
        & (gaps["metric"] == series.metric)
        & (gaps["metric_version"] == series.version)
    ]
    notes: dict[str, list[str]] = {}
    for row in rows.sort_values("tracks", ascending=False, kind="stable").to_dict("records"):
        reason = str(row["reason"])
        where = f"on {row['tracks']} of {count(int(row['expected']), 'track')}"
        notes.setdefault(str(row["model"]), []).append(
            f"{reason} {where} ({REASONS.get(reason, 'no explanation is known')})"
        )
    return {model: "; ".join(reasons) + "." for model, reasons in notes.items()}
