"""Reduce two sides to the frames in which both have a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from benchbench.comparison.side import Side
from benchbench.errors import UsageError
from benchbench.stats import intersect_frames, newest, per_track
from benchbench.stats.aggregations import Summary
from benchbench.stats.tracks import KEYS

__all__ = ["on_shared_frames"]


def on_shared_frames(
    a: Side, b: Side, pairs: Sequence[tuple[str, str]], frames: Summary
) -> tuple[Side, Side]:
    """The two sides reduced to shared frames, separately for each pair of models.

    Raises
    ------
    UsageError
        When a side keeps no frames: a baseline file holds one number per track.
    """
    parts: tuple[list[pd.DataFrame], list[pd.DataFrame]] = ([], [])
    left, right = _rows(a), _rows(b)
    for model_a, model_b in pairs:
        ours, theirs = left[left["model"] == model_a], right[right["model"] == model_b]
        both = pd.concat([ours.assign(model="a"), theirs.assign(model="b")], ignore_index=True)
        kept = intersect_frames(both)
        for part, name, model in zip(parts, "ab", (model_a, model_b), strict=True):
            part.append(kept[kept["model"] == name].assign(model=model))
    tables = [
        per_track(pd.concat(part, ignore_index=True) if part else left.iloc[:0], frames)
        for part in parts
    ]
    return replace(a, tracks=tables[0], scores=None), replace(b, tracks=tables[1], scores=None)


def _rows(side: Side) -> pd.DataFrame:
    if side.scores is None:
        raise UsageError(
            f"{side.label} holds one number per track, so its frames cannot be matched.",
            hint="Compare two results folders, or leave out --frames shared.",
        )
    columns = [*KEYS, "start_s", "duration_s", "value", "reason"]
    return newest(side.scores)[columns].astype({"model": "object"})
