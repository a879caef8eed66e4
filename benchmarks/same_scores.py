"""Check that two results folders contain bit-identical scores.

::

    python benchmarks/same_scores.py results-before results-after

For changes that must not change a number: moved modules, a faster implementation. Rows are
matched by model, data set, track, target, reference set, protocol, metric, band and time; ids of
runs and cells may differ. Prints the number of compared rows, and every kind of difference with an
example. Exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchbench.results.store import Results

KEY = [
    "model", "dataset", "track", "target", "reference_set", "protocol", "metric", "metric_version",
    "band_lo_hz", "band_hi_hz", "start_s", "duration_s",
]  # fmt: skip


def differences(first: pd.DataFrame, second: pd.DataFrame) -> Iterator[str]:
    """A description of each kind of difference between two tables of scores."""
    both = first[[*KEY, "value", "reason"]].merge(
        second[[*KEY, "value", "reason"]], on=KEY, how="outer", indicator=True
    )
    for side, name in (("left_only", "first"), ("right_only", "second")):
        alone = both[both["_merge"] == side]
        if len(alone):
            example = alone.iloc[0][KEY[:7]].to_dict()
            yield f"{len(alone)} rows are in the {name} folder only, for instance {example}"
    common = both[both["_merge"] == "both"]
    bits = [common[f"value{side}"].to_numpy(np.float64).view(np.int64) for side in ("_x", "_y")]
    missing = common["value_x"].isna() & common["value_y"].isna()
    unequal = common[(bits[0] != bits[1]) & ~missing.to_numpy()]
    if len(unequal):
        largest = (unequal["value_x"] - unequal["value_y"]).abs().max()
        example = unequal.iloc[0][[*KEY[:7], "value_x", "value_y"]].to_dict()
        yield f"{len(unequal)} values differ, by up to {largest:.3g}, for instance {example}"
    why = [common[f"reason{side}"].astype(object).fillna("") for side in ("_x", "_y")]
    reasons = common[why[0] != why[1]]
    if len(reasons):
        yield f"{len(reasons)} reasons differ, for instance {reasons.iloc[0][KEY[:7]].to_dict()}"


def main() -> int:
    """Compare two folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--models", nargs="*", help="only these")
    arguments = parser.parse_args()
    tables = [Results(path).scores_frame() for path in (arguments.first, arguments.second)]
    if arguments.models:
        tables = [table[table["model"].isin(arguments.models)] for table in tables]
    for table in tables:
        table[["model", "dataset"]] = table[["model", "dataset"]].astype(str)
    found = list(differences(*tables))
    print(f"{len(tables[0])} and {len(tables[1])} rows of scores")
    print("\n".join(found) or "equal bit for bit")
    return 1 if found or tables[0].empty else 0


if __name__ == "__main__":
    sys.exit(main())
