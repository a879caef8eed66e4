"""Reduce score rows to one row per track: newest run, summary over frames, missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.errors import UsageError
from benchbench.stats.aggregations import Summary
from benchbench.stats.attempts import newest_rows
from benchbench.stats.groups import Groups, group_by

__all__ = ["BLOCK", "KEYS", "intersect_frames", "newest", "per_track", "wide"]

KEYS: Final = (
    "model",
    "dataset",
    "track",
    "target",
    "reference_set",
    "protocol",
    "metric",
    "metric_version",
    "band_lo_hz",
    "band_hi_hz",
)
"""Columns that identify a row of a per-track table."""

BLOCK: Final = tuple(key for key in KEYS if key not in {"model", "track"})
"""Columns that must agree for two numbers to be in the same column."""

_FRAME: Final = ("start_s", "duration_s")


def newest(scores: pd.DataFrame, order: Sequence[str] | None = None) -> pd.DataFrame:
    """The rows of the newest run for every number that several runs computed.

    Parameters
    ----------
    scores
        Rows of `benchbench.results.schema.SCORES`.
    order
        Run ids, oldest first. By default their alphabetical order, which is the order in time
        because run ids begin with their time.

    Returns
    -------
    DataFrame
        The rows that count; `scores` itself when there is one run.
    """
    return newest_rows(scores, KEYS, order)


def per_track(
    scores: pd.DataFrame,
    frames: Summary = "median",
    *,
    runs: Literal["newest", "each"] = "newest",
) -> pd.DataFrame:
    """Summarise the frames of every track.

    Parameters
    ----------
    scores
        Rows of `benchbench.results.schema.SCORES`, as `Results.scores_frame` gives them.
    frames
        How the frames that have a value are summarised. Numbers of whole tracks are not changed.
    runs
        ``"newest"`` uses the newest run that computed a number; ``"each"`` keeps the runs separate,
        with a column ``run_id``, for a history.

    Returns
    -------
    DataFrame
        One row per combination of `KEYS`, with ``value`` (NaN when every frame is missing),
        ``frames`` (number of frames), ``missing`` (number of frames without a value), ``reason``
        (the most common reason for missing values; missing if there are none), ``ill_conditioned``
        and ``distrusted`` (share of the values with that reason, or with any reason).
    """
    if frames not in ("median", "mean"):
        raise UsageError(f"Frames are summarised by 'median' or 'mean', not {frames!r}.")
    keys = [*KEYS, "run_id"] if runs == "each" else list(KEYS)
    scores = scores if runs == "each" else newest(scores)
    groups = group_by(scores, keys)
    values = scores["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    table = scores[keys].iloc[groups.first].reset_index(drop=True)
    has_value = ~np.isnan(values)
    sizes, valid = groups.sizes(), groups.sizes(has_value)
    table["value"] = groups.median(values) if frames == "median" else groups.mean(values)
    table["frames"] = sizes
    table["missing"] = sizes - valid
    _add_reasons(table, scores["reason"].astype("category"), has_value, groups)
    table.attrs["frames"] = frames
    return table


def _add_reasons(
    table: pd.DataFrame, reason: pd.Series, there: npt.NDArray[np.bool_], groups: Groups
) -> None:
    names = [str(name) for name in reason.cat.categories]
    codes = reason.cat.codes.to_numpy().astype(np.int64)
    present = codes >= 0
    valid = np.maximum(groups.sizes(there), 1)
    ill = names.index("ill_conditioned") if "ill_conditioned" in names else -2
    table["reason"] = _most_common(names, codes, present & ~there, groups)
    table["ill_conditioned"] = groups.sizes(there & (codes == ill)) / valid
    table["distrusted"] = groups.sizes(there & present) / valid


def _most_common(
    names: list[str], codes: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_], groups: Groups
) -> npt.NDArray[np.object_]:
    answer = np.full(groups.count, None, dtype=object)
    if not rows.any():
        return answer
    pairs, counts = np.unique(groups.of_row[rows] * len(names) + codes[rows], return_counts=True)
    order = np.argsort(counts, kind="stable")  # the most common of a group is written last
    answer[pairs[order] // len(names)] = np.array(names, dtype=object)[pairs[order] % len(names)]
    return answer


def intersect_frames(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of the frames in which every model has a value.

    museval leaves a frame out when any estimate is silent in it, so two models may be scored on
    different frames of one track, and a model that is silent in the hard frames has an advantage.
    On the common frames no model has.

    Parameters
    ----------
    scores
        Rows of `benchbench.results.schema.SCORES`; numbers of whole tracks count as one frame.

    Returns
    -------
    DataFrame
        The selected rows of `scores`, in their order. A model without any rows for a target,
        protocol or metric is ignored there; a track on which a model failed is left out for all.
    """
    scores = newest(scores)
    blocks = group_by(scores, BLOCK)
    models = group_by(scores, (*BLOCK, "model"))
    models_in_block = np.bincount(blocks.of_row[models.first], minlength=blocks.count)
    has_value = ~np.isnan(scores["value"].to_numpy(dtype=np.float64, na_value=np.nan))
    frames = group_by(scores, (*BLOCK, "track", *_FRAME))
    complete = frames.sizes(has_value) >= models_in_block[blocks.of_row[frames.first]]
    return scores[complete[frames.of_row]]


def wide(table: pd.DataFrame, *, by: str = "model") -> pd.DataFrame:
    """A table of one column per model and one row per track, for a single target and metric.

    Raises
    ------
    UsageError
        When the rows mix targets, reference sets, protocols, metrics or bands: such numbers are
        never put in the same column.
    """
    mixed = [key for key in BLOCK if key in table and table[key].nunique(dropna=False) > 1]
    if mixed:
        raise UsageError(
            f"These rows mix several values of {', '.join(mixed)}.",
            hint="Choose one of each before comparing; their numbers do not share a scale.",
        )
    plain = table[["track", by, "value"]].astype({"track": "object", by: "object"})
    if plain.duplicated(["track", by]).any():
        raise UsageError(
            f"Some track has several values of one {by}.",
            hint="Summarise frames with `benchbench.stats.per_track` first.",
        )
    return plain.pivot(index="track", columns=by, values="value")
