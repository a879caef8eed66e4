"""Compare two sides and give every row a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from benchbench.comparison.loading import open_side
from benchbench.comparison.matching import (
    TrackIndex,
    blocks_of,
    kinds_apart,
    match_blocks,
    model_pairs,
)
from benchbench.comparison.rows import judged_rows
from benchbench.comparison.shared_frames import on_shared_frames
from benchbench.comparison.side import Side
from benchbench.comparison.verdicts import VERDICTS, Tolerances, verdict_of
from benchbench.errors import NothingToCompareError
from benchbench.stats import SEED
from benchbench.stats.aggregations import Summary
from benchbench.stats.bootstrap import LEVEL, RESAMPLES

__all__ = ["ALPHA", "MIN_TRACKS", "Comparison", "compare", "compare_sides"]

ALPHA: Final = 0.05
MIN_TRACKS: Final = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of `compare`.

    Parameters
    ----------
    a, b
        The labels of the two sides; b is judged against a.
    rows
        One row per model pair, target, reference set, protocol, metric and band: ``model_a``,
        ``model_b``, the columns of `benchbench.stats.tracks.BLOCK`, ``direction``, ``n`` (shared
        tracks), ``value_a``, ``value_b`` (means over them), ``difference`` (b minus a), ``lo``,
        ``hi``, ``p`` (Wilcoxon), ``p_holm``, ``p_family`` (one-sided, in the direction seen, adjusted for all rows together),
        ``win_rate`` (share of tracks on which b is better), ``effect`` (positive: b is better),
        ``detectable``, ``worst`` and ``best`` (smallest and largest gain on a track; positive
        is better), ``worst_track``, ``lost``, ``lost_tracks``, ``found``, ``tracks_a`` (that have a
        value in a), ``missing_a``, ``missing_b`` (frames without a value), ``tolerance``,
        ``verdict``, ``cause``, ``note``.
    costs
        One row per model pair: real-time factors, memory and their ratios.
    notes
        Further remarks for the reader.
    settings
        Level, alpha, resamples, seed, tolerances and the summary over frames.
    """

    a: str
    b: str
    rows: pd.DataFrame
    costs: pd.DataFrame
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Rows in which two numbers were compared."""
        return int((self.rows["cause"] == "").sum())

    def counts(self) -> dict[str, int]:
        """How many rows have each verdict, the most urgent first."""
        counted = self.rows["verdict"].value_counts()
        return {name: int(counted.get(name, 0)) for name in VERDICTS}


def compare(
    a: str | Path,
    b: str | Path,
    *,
    results: Path | str | None = None,
    models: Sequence[str] = (),
    aggregate_frames: Summary = "median",
    frames: Literal["own", "shared"] = "own",
    tolerances: Tolerances | None = None,
    alpha: float = ALPHA,
    level: float = LEVEL,
    min_tracks: int = MIN_TRACKS,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """Judge `b` against `a`.

    Parameters
    ----------
    a, b
        Results folders, ``FOLDER@RUN`` or ``FOLDER@MODEL``, baseline files, or bare names of runs or
        models in `results`.
    results
        The folder in which bare names are looked up.
    models
        Compare only these models, by name.
    aggregate_frames
        How the frames of each track are aggregated.
    frames
        ``"own"``: each side keeps its frames; ``"shared"``: only frames in which both have a value
        (needs score rows on both sides, which baselines do not keep).
    tolerances
        Differences that are too small to matter.
    alpha, level, min_tracks, resamples, seed
        Settings of the verdicts and their statistics.

    Raises
    ------
    UsageError
        When a side cannot be read.
    NothingToCompareError
        When the sides share no model or hold no numbers.

    Examples
    --------
    >>> import benchbench
    >>> comparison = benchbench.compare("results@mixture", "results@irm", min_tracks=2)
    >>> sorted(comparison.rows["target"].unique())
    ['accompaniment', 'all', 'vocals']
    """
    shared = frames == "shared"
    left, right = (
        open_side(side, results=results, frames=aggregate_frames, keep_scores=shared)
        for side in (a, b)
    )
    if models:
        left, right = left.only(models), right.only(models)
    if shared:
        left, right = on_shared_frames(left, right, model_pairs(left, right), aggregate_frames)
    return compare_sides(
        left,
        right,
        tolerances=tolerances,
        alpha=alpha,
        level=level,
        min_tracks=min_tracks,
        resamples=resamples,
        seed=seed,
        frames=frames,
    )


def compare_sides(
    a: Side,
    b: Side,
    *,
    tolerances: Tolerances | None = None,
    alpha: float = ALPHA,
    level: float = LEVEL,
    min_tracks: int = MIN_TRACKS,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    frames: str = "own",
) -> Comparison:
    """As `compare`, for sides that have been read already."""
    tolerances = tolerances or Tolerances()
    pairs = model_pairs(a, b)
    index = TrackIndex()
    ours, theirs = blocks_of(a, index), blocks_of(b, index)
    matches = [
        kinds_apart(match, a, b)
        for pair in pairs
        for match in match_blocks(pair, ours[pair[0]], theirs[pair[1]], (a.hashes, b.hashes))
    ]
    if not matches:
        raise NothingToCompareError(f"Neither {a.label} nor {b.label} holds a number.")
    rows = judged_rows(matches, index, b, tolerances, level, resamples, seed)
    verdicts = [
        ("incomparable", row["note"])
        if row["cause"]
        else verdict_of(row, alpha=alpha, min_tracks=min_tracks)
        for _, row in rows.iterrows()
    ]
    rows["verdict"] = [word for word, _ in verdicts]
    rows["note"] = [note for _, note in verdicts]
    return Comparison(
        a=a.label,
        b=b.label,
        rows=rows.drop(columns=["gain", "gain_lo", "gain_hi", "above", "below"]),
        costs=_costs(a, b, pairs),
        notes=tuple(_notes(a, b, pairs, rows)),
        settings={
            "alpha": alpha,
            "level": level,
            "min_tracks": min_tracks,
            "resamples": resamples,
            "seed": seed,
            "aggregate_frames": a.tracks.attrs.get("frames", "median"),
            "frames": frames,
            "tolerance": {"default": tolerances.default, **tolerances.named},
        },
    )


def _costs(a: Side, b: Side, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    table = pd.DataFrame(pairs, columns=["model_a", "model_b"])
    for name, side in (("a", a), ("b", b)):
        costs = side.costs.set_index("model").add_suffix(f"_{name}")
        table = table.join(costs.astype(float), on=f"model_{name}")
    for cost in ("real_time_factor", "peak_rss_bytes"):
        table[f"{cost}_ratio"] = table[f"{cost}_b"] / table[f"{cost}_a"]
    table["same_machine"] = bool(a.machine) and dict(a.machine) == dict(b.machine)
    return table


def _notes(a: Side, b: Side, pairs: Sequence[tuple[str, str]], rows: pd.DataFrame) -> list[str]:
    notes = []
    for side, place in ((a, 0), (b, 1)):
        alone = sorted(set(side.models) - {pair[place] for pair in pairs})
        if alone:
            notes.append(f"Only in {side.label}: {', '.join(alone)}.")
    notes.extend(
        f"Whether both used the same version of {dataset} is not recorded."
        for dataset in sorted({str(name) for name in rows["dataset"]})
        if not a.hashes.get(dataset) or not b.hashes.get(dataset)
    )
    if len(rows) > 1:
        notes.append(
            f"Verdicts are corrected for {len(rows)} rows, so a row may be inconclusive although "
            "its own interval excludes zero."
        )
    return notes
