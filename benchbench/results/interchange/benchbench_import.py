"""Import results that somebody else computed with benchbench, under the name of their source.

The folder is not trusted: its content is checked before the first file is written. Every
identifier and every model gets the source's name as a prefix, so no local result is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.errors import NothingToCompareError, UsageError
from benchbench.io.atomic import write_whole
from benchbench.io.names import file_name
from benchbench.io.plain_files import is_plain, plain_files, read_plain
from benchbench.io.redaction import redacted_value
from benchbench.results.interchange.provenance import Imported, Source
from benchbench.results.store import Results, open_results
from benchbench.results.untrusted_tables import (
    IDENTIFIERS,
    require_identifier,
    require_sound,
    words,
)

__all__ = ["import_benchbench"]

_LARGEST_LOG: Final = 64 << 20
"""Maximum bytes of a file beside a run's record; a larger one is left out."""


def import_benchbench(path: Path | str, results: Path | str, source: Source) -> Imported:
    """Import another results folder: scores, separations and runs.

    Models keep their adapters and get the source's name as a prefix (``lab.spleeter:2stems``), so
    that the same model measured locally and elsewhere has two rows. Cells, separations and runs get
    it too (``lab-<id>``): local rows and records are never replaced. Importing again replaces the
    earlier import from that source.

    Parameters
    ----------
    path
        The folder to import.
    results
        The results folder to import into.
    source
        The origin of the results, and the licence of the numbers.

    Raises
    ------
    UsageError
        When both are the same folder, or `path` holds no results.
    NothingToCompareError
        When it holds no scores.
    DamagedResultsError
        When a file cannot be read or has invalid content; nothing is imported in that case.
    """
    theirs, ours = open_results(Path(path)), Results(Path(results))
    if theirs.root.resolve() == ours.root.resolve():
        raise UsageError(f"{path} is the folder to import into.")
    scores = require_sound(theirs.root / "scores", "scores", theirs.encoded_scores())
    if not scores.num_rows:
        raise NothingToCompareError(f"{path} holds no scores.")
    separations = require_sound(
        theirs.root / "separations", "separations", theirs.encoded_separations()
    )
    runs = list(theirs.runs())
    for run in runs:
        require_identifier(theirs.root / "runs", str(run.get("run_id", "")))

    for part in _cells(_renamed(scores, source)):
        first = part.slice(0, 1).to_pylist()[0]
        ours.write_scores(first["cell_id"], first["model"], first["dataset"], part)
    for batch in _renamed(separations, source).to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            ours.write_separation(row)
    for run in runs:
        _copy_run(theirs, ours, source, run)
    return Imported(
        run_id=_prefixed(source, scores["run_id"][-1].as_py()),
        models=tuple(sorted(f"{source.name}.{name}" for name in words(scores, "model"))),
        tracks=len(words(scores, "track")),
        rows=scores.num_rows,
    )


def _prefixed(source: Source, identifier: str) -> str:
    return f"{file_name(source.name, keep='.')}-{identifier}"


def _renamed(table: pa.Table, source: Source) -> pa.Table:
    """The table with the source's prefix on models and identifiers."""
    prefixes = dict.fromkeys(IDENTIFIERS, _prefixed(source, "")) | {"model": f"{source.name}."}
    for column, prefix in prefixes.items():
        if column in table.column_names:
            index = table.column_names.index(column)
            words = pc.binary_join_element_wise(prefix, table[column].cast(pa.string()), "")
            table = table.set_column(index, column, words.dictionary_encode())
    return table


def _cells(scores: pa.Table) -> Iterator[pa.Table]:
    """One table per model, data set and cell."""
    keys = [(name, "ascending") for name in ("model", "dataset", "cell_id")]
    text = [name for name, _ in keys]
    plain = pa.table({name: scores[name].cast(pa.string()) for name in text})
    order = pc.sort_indices(plain, sort_keys=keys)
    cells = plain.take(order).to_pandas()
    changes = cells.ne(cells.shift()).any(axis=1).to_numpy().nonzero()[0]
    edges = sorted({0, *(int(start) for start in changes), len(cells)})
    for low, high in pairwise(edges):
        yield scores.take(order.slice(low, high - low))


def _copy_run(theirs: Results, ours: Results, source: Source, run: dict[str, Any]) -> None:
    """Copy the run's record and logs under the prefixed name."""
    run_id = str(run["run_id"])
    for model in run.get("models") or ():
        model["name"] = f"{source.name}.{model.get('name', '')}"
    origin = {**redacted_value(asdict(source)), "kind": "benchbench", "files": [theirs.root.name]}
    ours.write_run(
        _prefixed(source, run_id),
        {**run, "run_id": _prefixed(source, run_id), "imported": origin},
    )
    folder = ours.run_folder(_prefixed(source, run_id))
    for path in plain_files(theirs.run_folder(run_id)):
        beside = path.parent == theirs.run_folder(run_id) and path.suffix == ".log"
        if beside and is_plain(path) and path.stat().st_size <= _LARGEST_LOG:
            content = read_plain(path, _LARGEST_LOG)
            write_whole(folder / path.name, content)
