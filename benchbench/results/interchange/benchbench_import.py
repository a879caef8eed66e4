"""Results that somebody else made with benchbench, taken over with a mark of their origin."""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.errors import NothingToCompareError, UsageError
from benchbench.results.interchange.provenance import Imported, Source
from benchbench.results.store import Results, open_results

__all__ = ["import_benchbench"]


def import_benchbench(path: Path | str, results: Path | str, source: Source) -> Imported:
    """Import another results folder: scores, separations and runs.

    Models keep their adapters and get the source's name as a prefix (``lab.spleeter:2stems``), so
    that the same model measured here and there stands in two rows. Nothing is overwritten.

    Parameters
    ----------
    path
        The folder to import.
    results
        The results folder to import into.
    source
        Who made it, and the licence of the numbers.

    Raises
    ------
    UsageError
        When both are the same folder, or `path` holds no results.
    NothingToCompareError
        When it holds no scores.
    """
    theirs, ours = open_results(Path(path)), Results(Path(results))
    if theirs.root.resolve() == ours.root.resolve():
        raise UsageError(f"{path} is the folder to import into.")
    scores = theirs.scores()
    if not scores.num_rows:
        raise NothingToCompareError(f"{path} holds no scores.")
    prefix = f"{source.name}."
    scores = _prefixed(scores, prefix)
    for part in _parts(scores):
        first = part.slice(0, 1).to_pylist()[0]
        cell = f"{source.name}-{first['cell_id']}"
        named = part.set_column(0, part.schema.field(0), pa.repeat(pa.scalar(cell), len(part)))
        ours.write_scores(cell, first["model"], first["dataset"], named)
    for row in _prefixed(theirs.separations(), prefix).to_pylist():
        ours.write_separation(row)
    _copy_runs(theirs, ours, source, prefix)
    return Imported(
        run_id=scores["run_id"][-1].as_py(),
        models=tuple(sorted(scores["model"].unique().to_pylist())),
        tracks=len(scores["track"].unique()),
        rows=scores.num_rows,
    )


def _prefixed(table: pa.Table, prefix: str) -> pa.Table:
    index = table.column_names.index("model")
    names = pc.binary_join_element_wise(prefix, table["model"], "")
    return table.set_column(index, table.schema.field(index), names)


def _parts(scores: pa.Table) -> list[pa.Table]:
    """One table a cell and run."""
    sorted_rows = scores.sort_by([(name, "ascending") for name in ("model", "dataset", "cell_id")])
    cells = sorted_rows.select(["model", "dataset", "cell_id"]).to_pandas()
    starts = [0, *(cells.ne(cells.shift()).any(axis=1).to_numpy().nonzero()[0]), len(cells)]
    edges = sorted({int(start) for start in starts})
    return [sorted_rows.slice(low, high - low) for low, high in pairwise(edges)]


def _copy_runs(theirs: Results, ours: Results, source: Source, prefix: str) -> None:
    for run in theirs.runs():
        run_id = str(run.get("run_id", ""))
        if not re.fullmatch(r"[\w.-]+", run_id):  # a name that could lead out of the folder
            raise UsageError(f"{theirs.root} has a run with the odd name {run_id!r}.")
        for model in run.get("models", []):
            model["name"] = prefix + str(model.get("name", ""))
        run["imported"] = {**asdict(source), "kind": "benchbench", "files": [str(theirs.root)]}
        ours.write_run(run_id, run)
        for item in (theirs.root / "runs" / run_id).iterdir():
            target = ours.root / "runs" / run_id / item.name
            if item.is_file() and not target.exists():
                shutil.copyfile(item, target)
