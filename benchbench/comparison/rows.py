"""The numbers of a comparison: one row for each pair of blocks, statistics and all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.comparison.directions import direction_of
from benchbench.comparison.matching import Block, Match, TrackIndex
from benchbench.comparison.side import Side
from benchbench.comparison.verdicts import Tolerances
from benchbench.stats import holm
from benchbench.stats.family import family_p
from benchbench.stats.pairs import paired_columns
from benchbench.stats.tracks import BLOCK

__all__ = ["judged_rows"]

Floats = npt.NDArray[np.float64]


def judged_rows(
    matches: Sequence[Match],
    index: TrackIndex,
    b: Side,
    tolerances: Tolerances,
    level: float,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """One row a match, with everything but the verdict.

    ``gain``, ``gain_lo`` and ``gain_hi`` are the difference with its interval turned so that more
    is better; ``above`` and ``below`` the p values that hold for all rows together.
    """
    names = index.names()
    head = pd.DataFrame(
        [(match.model_a, match.model_b, *match.key) for match in matches],
        columns=["model_a", "model_b", *BLOCK],
    )
    head["direction"] = [
        direction_of(str(protocol), str(metric), str(target))
        for protocol, metric, target in zip(
            head["protocol"], head["metric"], head["target"], strict=True
        )
    ]
    sign = np.where(head["direction"] == "lower", -1.0, 1.0)
    left, right = np.full((2, len(names), len(matches)), np.nan)
    lost: list[list[str]] = []
    for column, match in enumerate(matches):
        if match.a is None or match.b is None or match.cause:
            lost.append([])
            continue
        left[match.a.tracks, column] = match.a.values
        right[match.b.tracks, column] = match.b.values
        lost.append(_lost(match, match.b, left[:, column], right[:, column], names, b.failed))
    gains = (right - left) * sign
    found = _found(matches, left, right)
    with_both = ~np.isnan(gains)
    n = np.maximum(with_both.sum(axis=0), 1)
    rows = pd.concat(
        [head, paired_columns(gains, level=level, resamples=resamples, seed=seed)], axis=1
    ).rename(columns={"difference": "gain", "lo": "gain_lo", "hi": "gain_hi"})
    empty = rows["n"] == 0
    for name, side in (("value_a", left), ("value_b", right)):
        rows[name] = np.where(empty, np.nan, np.where(with_both, side, 0.0).sum(axis=0) / n)
    rows["difference"] = rows["gain"] * sign
    rows["lo"] = np.where(sign > 0, rows["gain_lo"], -rows["gain_hi"])
    rows["hi"] = np.where(sign > 0, rows["gain_hi"], -rows["gain_lo"])
    rows["p_holm"] = holm(rows["p"])
    above, below = _families(gains, head["band_lo_hz"].notna().to_numpy(), seed)
    rows["above"], rows["below"] = above, below
    rows["p_family"] = np.where(empty, np.nan, np.where(rows["gain"] < 0, below, above))
    rows["worst"] = rows["worst"].where(~empty)
    rows["best"] = rows["best"].where(~empty)
    rows["worst_track"] = _worst_tracks(gains, names)
    rows["lost"] = [len(item) for item in lost]
    rows["lost_tracks"] = [" ".join(item[:5]) for item in lost]
    rows["found"] = found
    rows["tracks_a"] = np.count_nonzero(~np.isnan(left), axis=0)
    for name, blocks in (("a", [m.a for m in matches]), ("b", [m.b for m in matches])):
        rows[f"missing_{name}"] = [block.missing if block else 0 for block in blocks]
    rows["tolerance"] = [
        tolerances.of(str(p), str(m)) for p, m in zip(rows["protocol"], rows["metric"], strict=True)
    ]
    rows["cause"] = [match.cause for match in matches]
    rows["note"] = [match.note for match in matches]
    return rows


def _families(gains: Floats, banded: npt.NDArray[np.bool_], seed: int) -> tuple[Floats, Floats]:
    """`family_p` among broadband rows and among rows of bands, each at half the level.

    A table has a few broadband rows and dozens of bands: in one family the bands would drown what
    matters most.
    """
    above, below = np.ones((2, gains.shape[1]))
    families = [rows for rows in (banded, ~banded) if rows.any()]
    for rows in families:
        up, down = family_p(gains[:, rows], seed=seed)
        above[rows] = np.minimum(1.0, up * len(families))
        below[rows] = np.minimum(1.0, down * len(families))
    return above, below


def _lost(
    match: Match,
    block: Block,
    left: Floats,
    right: Floats,
    names: Sequence[tuple[str, str]],
    failed: frozenset[tuple[str, str, str]],
) -> list[str]:
    """Tracks with a value in a that b tried and has no value for."""
    gone = np.flatnonzero(~np.isnan(left) & np.isnan(right)).tolist()
    tried = set(block.tracks.tolist())
    return [
        names[track][1]
        for track in gone
        if track in tried or (match.model_b, *names[track]) in failed
    ]


def _found(matches: Sequence[Match], left: Floats, right: Floats) -> npt.NDArray[np.int64]:
    """Tracks without a value in a, though a tried them, that have one in b."""
    counts = np.zeros(len(matches), dtype=np.int64)
    for column, match in enumerate(matches):
        if match.a is not None and not match.cause:
            tried = match.a.tracks
            counts[column] = np.sum(np.isnan(left[tried, column]) & ~np.isnan(right[tried, column]))
    return counts


def _worst_tracks(gains: Floats, names: Sequence[tuple[str, str]]) -> list[str]:
    if not len(gains):
        return [""] * gains.shape[1]
    least = np.where(np.isnan(gains), np.inf, gains)
    return [
        names[int(track)][1] if np.isfinite(least[track, column]) else ""
        for column, track in enumerate(least.argmin(axis=0))
    ]
