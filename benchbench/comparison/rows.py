"""The numbers of a comparison: one row for each pair of blocks, with its statistics."""

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
    """One row per match, with everything but the verdict.

    ``gain``, ``gain_lo`` and ``gain_hi`` are the difference and its interval, signed so that
    positive is better; ``above`` and ``below`` are the p values adjusted for all rows together.
    """
    names = index.names()
    rows = _heads(matches)
    sign = np.where(rows["direction"] == "lower", -1.0, 1.0)
    left, right, lost = _values(matches, names, b)
    gains = (right - left) * sign
    banded = rows["band_lo_hz"].notna().to_numpy()
    paired = paired_columns(gains, level=level, resamples=resamples, seed=seed)
    paired = paired.rename(columns={"difference": "gain", "lo": "gain_lo", "hi": "gain_hi"})
    rows = pd.concat([rows, paired], axis=1)
    _add_values(rows, left, right, sign)
    _add_p_values(rows, gains, banded, seed)
    _add_tracks(rows, matches, gains, names, lost)
    rows["found"] = _found(matches, left, right)
    rows["tracks_a"] = np.count_nonzero(~np.isnan(left), axis=0)
    rows["tolerance"] = [
        tolerances.of(str(p), str(m)) for p, m in zip(rows["protocol"], rows["metric"], strict=True)
    ]
    rows["cause"] = [match.cause for match in matches]
    rows["note"] = [match.note for match in matches]
    return rows


def _heads(matches: Sequence[Match]) -> pd.DataFrame:
    """The columns that identify each row: the pair of models, the block and its direction."""
    heads = pd.DataFrame(
        [(match.model_a, match.model_b, *match.key) for match in matches],
        columns=["model_a", "model_b", *BLOCK],
    )
    heads["direction"] = [
        direction_of(str(protocol), str(metric), str(target))
        for protocol, metric, target in zip(
            heads["protocol"], heads["metric"], heads["target"], strict=True
        )
    ]
    return heads


def _values(
    matches: Sequence[Match], names: Sequence[tuple[str, str]], b: Side
) -> tuple[Floats, Floats, list[list[str]]]:
    """Both sides' values of shape (tracks, matches), NaN where missing, and the tracks lost in b."""
    left, right = np.full((2, len(names), len(matches)), np.nan)
    lost: list[list[str]] = []
    for column, match in enumerate(matches):
        if match.a is None or match.b is None or match.cause:
            lost.append([])
            continue
        left[match.a.tracks, column] = match.a.values
        right[match.b.tracks, column] = match.b.values
        lost.append(_lost(match, match.b, left[:, column], right[:, column], names, b.failed))
    return left, right, lost


def _add_values(rows: pd.DataFrame, left: Floats, right: Floats, sign: Floats) -> None:
    """The means over the shared tracks, and the difference with its interval."""
    with_both = ~np.isnan(right - left)
    n = np.maximum(with_both.sum(axis=0), 1)
    for name, side in (("value_a", left), ("value_b", right)):
        means = np.where(with_both, side, 0.0).sum(axis=0) / n
        rows[name] = np.where(rows["n"] == 0, np.nan, means)
    rows["difference"] = rows["gain"] * sign
    rows["lo"] = np.where(sign > 0, rows["gain_lo"], -rows["gain_hi"])
    rows["hi"] = np.where(sign > 0, rows["gain_hi"], -rows["gain_lo"])


def _add_p_values(
    rows: pd.DataFrame, gains: Floats, banded: npt.NDArray[np.bool_], seed: int
) -> None:
    """The p values corrected for all rows: Holm's, and one per direction for the family."""
    rows["p_holm"] = holm(rows["p"])
    rows["above"], rows["below"] = _families(gains, banded, seed)
    directed = np.where(rows["gain"] < 0, rows["below"], rows["above"])
    rows["p_family"] = np.where(rows["n"] == 0, np.nan, directed)


def _add_tracks(
    rows: pd.DataFrame,
    matches: Sequence[Match],
    gains: Floats,
    names: Sequence[tuple[str, str]],
    lost: Sequence[Sequence[str]],
) -> None:
    """The best and worst tracks, those lost in b, and the number of frames without a value."""
    compared = rows["n"] != 0
    rows["worst"] = rows["worst"].where(compared)
    rows["best"] = rows["best"].where(compared)
    rows["worst_track"] = _worst_tracks(gains, names)
    rows["lost"] = [len(tracks) for tracks in lost]
    rows["lost_tracks"] = [" ".join(tracks[:5]) for tracks in lost]
    for name, blocks in (("a", [m.a for m in matches]), ("b", [m.b for m in matches])):
        rows[f"missing_{name}"] = [block.missing if block else 0 for block in blocks]


def _families(gains: Floats, banded: npt.NDArray[np.bool_], seed: int) -> tuple[Floats, Floats]:
    """`family_p` among broadband rows and among rows of bands, each at half the level.

    A table has a few broadband rows and dozens of bands: in one family the correction for the
    bands would hide differences in the broadband rows.
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
    """Tracks that have a value in a, and were tried in b without getting a value."""
    gone = np.flatnonzero(~np.isnan(left) & np.isnan(right)).tolist()
    tried = set(block.tracks.tolist())
    return [
        names[track][1]
        for track in gone
        if track in tried or (match.model_b, *names[track]) in failed
    ]


def _found(matches: Sequence[Match], left: Floats, right: Floats) -> npt.NDArray[np.int64]:
    """Tracks that were tried in a without getting a value, and have one in b."""
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
