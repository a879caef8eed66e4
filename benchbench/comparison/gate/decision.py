"""Candidate against baseline: the decision, and how a new baseline is accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from benchbench.comparison import Comparison, Side, compare_sides, open_side, write_baseline
from benchbench.comparison.baselines import read_baseline
from benchbench.comparison.gate.config import GateConfig
from benchbench.comparison.gate.rules import Check, check_rows, cost_checks
from benchbench.errors import NothingToCompareError, UsageError
from benchbench.stats.aggregations import Summary

__all__ = ["GateResult", "accept", "gate", "gate_sides"]


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's decision and its reasons.

    Parameters
    ----------
    exit_code
        0 it may pass; 1 a regression; 3 nothing, or too little, was compared or decided.
    headline
        The decision in a sentence.
    checks
        One per row of the baseline, then one per cost.
    comparison
        The comparison behind the checks; None if no comparison was possible.
    config
        The rules that were applied.
    """

    exit_code: int
    headline: str
    checks: tuple[Check, ...]
    comparison: Comparison | None
    config: GateConfig

    def count(self, status: str) -> int:
        """The number of checks with that status."""
        return sum(check.status == status for check in self.checks)


def gate(
    baseline: Path | str,
    candidate: Path | str = "results",
    config: GateConfig | None = None,
) -> GateResult:
    """Judge results against a baseline.

    Parameters
    ----------
    baseline
        A baseline file, or anything else that `benchbench.compare` takes.
    candidate
        The results to judge.
    config
        The rules; by default those of `GateConfig`.

    Returns
    -------
    GateResult
        Also when there was nothing to compare: its exit code is 3 then.

    Raises
    ------
    UsageError
        When a side does not exist; explains how to write the first baseline.

    Examples
    --------
    Two tracks are too few for a decision, so the exit code is 3:

    >>> import benchbench
    >>> benchbench.gate("results", "results").exit_code
    3
    """
    if not Path(baseline).exists() and "@" not in str(baseline):
        raise UsageError(
            f"There is no baseline {baseline}.",
            hint=f"Accept one first: bench gate --baseline {baseline} --accept",
        )
    config = config or GateConfig()
    try:
        left = open_side(baseline, frames=_frames_of(Path(baseline)))
        right = open_side(candidate, frames=left.tracks.attrs.get("frames", "median"))
    except NothingToCompareError as error:
        return _nothing(error, config)
    return gate_sides(left, right, config)


def _nothing(error: NothingToCompareError, config: GateConfig) -> GateResult:
    return GateResult(3, f"Nothing was compared: {error.message}", (), None, config)


def _frames_of(path: Path) -> Summary:
    """How the baseline aggregated frames; the candidate is aggregated in the same way."""
    if not path.is_file():
        return "median"
    frames: Summary = read_baseline(path).tracks.attrs.get("frames", "median")
    return frames


def gate_sides(baseline: Side, candidate: Side, config: GateConfig | None = None) -> GateResult:
    """As `gate`, for sides that have been read already."""
    config = config or GateConfig()
    try:
        left, right = _selected(baseline, config), _selected(candidate, config)
        comparison = compare_sides(
            left,
            right,
            tolerances=config.tolerance,
            alpha=config.alpha,
            min_tracks=config.min_tracks,
        )
    except NothingToCompareError as error:
        return _nothing(error, config)
    rows = check_rows(comparison, config)
    rows += [
        Check(name, "", "all", "not compared", "only_in_a", f"{name} has no results")
        for name in sorted(set(left.models) - set(comparison.rows["model_a"]))
    ]
    checks = (*rows, *cost_checks(comparison, config))
    code, headline = _decision(rows, checks, config)
    return GateResult(code, headline, checks, comparison, config)


def _selected(side: Side, config: GateConfig) -> Side:
    if config.models:
        present = [name for name in config.models if name in side.models]
        if not present:
            raise NothingToCompareError(
                f"{side.label} has none of the selected models {', '.join(config.models)}."
            )
        side = side.only(present)
    table = side.tracks
    keep = pd.Series(True, index=table.index)
    for column, wanted in (("target", config.targets), ("protocol", config.protocols)):
        if wanted:
            keep &= table[column].isin(wanted)
    if config.metrics:
        full = table["protocol"].astype(str) + ":" + table["metric"].astype(str)
        keep &= table["metric"].isin(config.metrics) | full.isin(config.metrics)
    chosen = table[keep]
    chosen.attrs.update(table.attrs)
    return replace(side, tracks=chosen)


def _decision(rows: list[Check], checks: tuple[Check, ...], config: GateConfig) -> tuple[int, str]:
    failed = sum(check.status == "failed" for check in checks)
    apart = sum(check.status == "not compared" for check in rows)
    judged = len(rows) - apart
    unsure = sum(check.rule == "inconclusive" for check in rows)
    if failed:
        return 1, f"Regression: {failed} of {len(checks)} checks failed."
    if not judged or all(check.rule == "no baseline" for check in rows):
        return 3, "Nothing was compared: no row of the baseline has a counterpart."
    if apart and config.missing == "fail":
        return 3, f"Too little was compared: {apart} of {len(rows)} rows have no counterpart."
    decided = [c for c in rows if c.status != "not compared" and c.rule != "no baseline"]
    if decided and all(check.rule == "inconclusive" for check in decided):
        return 3, f"Nothing was decided: every row is inconclusive ({len(decided)})."
    if unsure and config.strict:
        return 3, f"Too little to tell: {unsure} of {judged} rows are inconclusive (strict)."
    doubt = f", {unsure} of them inconclusive" if unsure else ""
    left = f"; {apart} rows were not compared" if apart else ""
    return 0, f"No regression in {judged} rows{doubt}{left}."


def accept(candidate: Path | str, baseline: Path | str, *, frames: Summary = "median") -> Path:
    """Write the candidate's numbers as the new baseline, to be reviewed and committed.

    Parameters
    ----------
    candidate
        The results to accept.
    baseline
        The baseline file to write.
    frames
        How the frames of each track are aggregated.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        When the candidate holds no numbers.
    """
    return write_baseline(baseline, open_side(candidate, frames=frames))
