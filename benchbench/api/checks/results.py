"""Checks of a results folder: damaged parts, and what killed processes left."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from benchbench.results.integrity import damaged_parts, damaged_runs, leftovers
from benchbench.results.store import Results
from benchbench.separation.conformance import Check

__all__ = ["check_results"]


def check_results(results: Results, repair: bool) -> Iterator[Check]:
    """Every damaged part and run; `repair` moves them away and removes unfinished files."""
    root, bad = results.root, 0
    faults = (damaged_parts(root, "scores"), damaged_parts(root, "separations"), damaged_runs(root))
    for path, why in chain(*faults):
        bad += 1
        if repair:
            aside = root / "damaged" / path.relative_to(root)
            aside.parent.mkdir(parents=True, exist_ok=True)
            path.replace(aside)
            yield Check(str(path), True, f"{why}; set aside as {aside}")
        else:
            yield Check(str(path), False, f"{why}; --repair sets it aside")
    left = list(leftovers(root))
    if left and repair:
        for path in left:
            path.unlink(missing_ok=True)
    if left:
        done = "removed" if repair else "harmless; --repair removes them when no run is active"
        yield Check("unfinished files", True, f"{len(left)} left by killed processes, {done}")
    if not bad:
        count = results.scores(columns=["cell_id"]).num_rows
        yield Check(str(root), True, f"{count} score rows, no damaged part")
