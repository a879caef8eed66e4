"""Measure tolerances from two runs of the same models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from benchbench.comparison import compare
from benchbench.errors import NothingToCompareError

__all__ = ["Calibration", "calibrate"]

_SAFETY: Final = 3.0
_FLOOR: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """How much two runs of the same models differ, and the proposed tolerances.

    Parameters
    ----------
    table
        One row per protocol and metric: ``rows``, ``tracks`` (track numbers compared), ``largest``
        change on any track, and the proposed ``identical`` tolerance.
    toml
        The proposal, ready for ``gate.toml``.
    """

    table: pd.DataFrame
    toml: str


def calibrate(first: Path | str, second: Path | str) -> Calibration:
    """Compare two runs of the same models and propose tolerances for the identical profile.

    The proposal is three times the largest change on any track, rounded up to one digit: enough for
    another run on the same machine to pass. Other machines may need more; calibrate over two of
    them.

    Parameters
    ----------
    first, second
        Two results folders, or two runs: the same models with the same weights and options.

    Raises
    ------
    NothingToCompareError
        When no number of one can be compared with one of the other.
    """
    comparison = compare(first, second)
    rows = comparison.rows[(comparison.rows["cause"] == "") & (comparison.rows["n"] > 0)]
    if rows.empty:
        raise NothingToCompareError("The two runs have no scores in common to calibrate with.")
    largest = pd.concat([-rows["worst"], rows["best"]], axis=1).max(axis=1).clip(lower=0)
    table = (
        rows.assign(largest=largest)
        .groupby(["protocol", "metric"], as_index=False)
        .agg(rows=("n", "size"), tracks=("n", "sum"), largest=("largest", "max"))
    )
    table["identical"] = [_proposed(value) for value in table["largest"]]
    lines = [
        f"# From {comparison.a} against {comparison.b}: three times the largest change on any track.",
        "[identical]",
        f"default = {table['identical'].max():g}",
        *(
            f'"{row["protocol"]}:{row["metric"]}" = {row["identical"]:g}'
            for _, row in table.iterrows()
        ),
    ]
    return Calibration(table, "\n".join(lines) + "\n")


def _proposed(largest: float) -> float:
    """Three times the change, rounded up to one significant digit, and never zero."""
    wanted = max(_SAFETY * largest, _FLOOR)
    unit = 10.0 ** math.floor(math.log10(wanted))
    return float(f"{math.ceil(wanted / unit - 1e-9) * unit:.6g}")
