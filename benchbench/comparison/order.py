"""The order of the rows of a comparison: the headline metric first, bands last."""

from __future__ import annotations

from typing import Final

import pandas as pd

from benchbench.comparison.verdicts import VERDICTS
from benchbench.metrics import HEADLINES

__all__ = ["by_metric", "headline_rows", "is_headline", "ordered_rows", "without_repeats"]

_TARGETS: Final = ("vocals", "drums", "bass", "other", "accompaniment")


def ordered_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Broadband rows before bands, headline metrics first, then the most urgent verdicts."""
    keys = rows.assign(
        _banded=rows["band_lo_hz"].notna(),
        _headline=_headline_place(rows),
        _verdict=rows["verdict"].map({name: place for place, name in enumerate(VERDICTS)}),
        _size=-rows["difference"].abs().fillna(0.0),
    )
    names = ["_banded", "_headline", "_verdict", "_size"]
    return keys.sort_values(names, kind="stable").drop(columns=names)


def is_headline(rows: pd.DataFrame) -> pd.Series:
    """Which rows are broadband and belong to a headline metric."""
    return rows["band_lo_hz"].isna() & (_headline_place(rows) < len(HEADLINES))


def by_metric(rows: pd.DataFrame) -> pd.DataFrame:
    """As `ordered_rows`, but grouped by pair of models, metric and band."""
    ordered = ordered_rows(rows)
    names = ["model_a", "model_b", "protocol", "metric", "band_lo_hz"]
    block = ordered.groupby(names, sort=False, dropna=False, observed=True).ngroup()
    keys = ordered.assign(_block=block, _target=ordered["target"].map(_target_place).astype(int))
    return keys.sort_values(["_block", "_target"], kind="stable").drop(
        columns=["_block", "_target"]
    )


def headline_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The broadband rows of the best-known metric that was compared, target by target.

    Among reference sets that repeat a target, the first is kept.
    """
    broad = rows[rows["band_lo_hz"].isna()]
    compared = broad[broad["cause"] == ""]
    broad = compared if len(compared) else broad
    place = _headline_place(broad)
    chosen = broad[place == place.min()] if len(broad) else broad
    first = chosen.iloc[:1]
    same = chosen[
        (chosen["protocol"] == first["protocol"].iloc[0])
        & (chosen["metric"] == first["metric"].iloc[0])
    ] if len(first) else chosen  # fmt: skip
    ordered = same.assign(_order=same["target"].map(_target_place).astype(int))
    ordered = ordered.sort_values("_order", kind="stable").drop(columns="_order")
    return ordered.drop_duplicates(["model_a", "model_b", "target"])


def without_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without the ``windows`` SDR if ``bsseval-v4`` has the same numbers."""
    keys = ["model_a", "model_b", "target", "reference_set", "metric"]
    known = rows[rows["protocol"] == "bsseval-v4"].set_index(keys)["difference"]
    repeated = [
        row["protocol"] == "windows"
        and (place := tuple(row[keys])) in known.index
        and abs(float(known.loc[[place]].iloc[0]) - row["difference"]) < 0.005
        for _, row in rows.iterrows()
    ]
    return rows[[not repeat for repeat in repeated]]


def _target_place(name: str) -> int:
    return _TARGETS.index(name) if name in _TARGETS else len(_TARGETS)


def _headline_place(rows: pd.DataFrame) -> pd.Series:
    known = {pair: place for place, pair in enumerate(HEADLINES)}
    pairs = zip(rows["protocol"].astype(str), rows["metric"].astype(str), strict=True)
    return pd.Series([known.get(pair, len(known)) for pair in pairs], index=rows.index)
