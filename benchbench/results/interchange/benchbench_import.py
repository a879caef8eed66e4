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

from benchbench.errors import DamagedResultsError, NothingToCompareError, UsageError
from benchbench.io.atomic import write_whole
from benchbench.io.names import file_name, is_file_name
from benchbench.io.plain_files import is_plain, plain_files, read_plain
from benchbench.io.redaction import redacted_value
from benchbench.results.interchange.provenance import Imported, Source
from benchbench.results.schema import STATUSES
from benchbench.results.store import Results, open_results

__all__ = ["import_benchbench"]

_LARGEST_LOG: Final = 64 << 20
"""Maximum bytes of a file beside a run's record; a larger one is left out."""
_IDENTIFIERS: Final = ("cell_id", "separation_id", "run_id")
_LENGTHS: Final = ("duration_s", "load_s", "wall_s", "audio_s", "peak_rss_bytes", "peak_held_bytes")
_LONGEST_NAME: Final = 1000


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
    scores = _checked(theirs, "scores", theirs.encoded_scores())
    if not scores.num_rows:
        raise NothingToCompareError(f"{path} holds no scores.")
    separations = _checked(theirs, "separations", theirs.encoded_separations())
    runs = list(theirs.runs())
    for run in runs:
        _require_identifier(theirs.root / "runs", str(run.get("run_id", "")))

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
        models=tuple(sorted(f"{source.name}.{name}" for name in _words(scores, "model"))),
        tracks=len(_words(scores, "track")),
        rows=scores.num_rows,
    )


def _prefixed(source: Source, identifier: str) -> str:
    return f"{file_name(source.name, keep='.')}-{identifier}"


def _words(table: pa.Table, column: str) -> list[str]:
    return [word for word in pc.unique(table[column]).to_pylist() if word is not None]


def _checked(theirs: Results, kind: str, table: pa.Table) -> pa.Table:
    """The table, if its names are usable and its numbers are ones that a run can write."""
    place = theirs.root / kind
    for column in table.column_names:
        if pa.types.is_dictionary(table[column].type):
            for word in _words(table, column):
                _require_name(place, column, word)
        elif pa.types.is_floating(table[column].type):
            values = table[column].drop_null()
            if len(values) and not pc.all(pc.is_finite(values)).as_py():
                raise _odd(place, f"a {column} that is not finite")
        if column in _LENGTHS and (pc.min(table[column]).as_py() or 0) < 0:
            raise _odd(place, f"a {column} below zero")
    if kind == "separations":
        for word in set(_words(table, "status")) - set(STATUSES):
            raise _odd(place, f"the status {word[:40]!r}")
    return table


def _require_name(place: Path, column: str, word: str) -> None:
    if column in _IDENTIFIERS:
        _require_identifier(place, word)
    elif column not in ("error", "log_tail"):
        if len(word) > _LONGEST_NAME:
            raise _odd(place, f"a {column} of {len(word)} characters")
        if not word.isprintable():
            raise _odd(place, f"the {column} {word[:40]!r}, with characters that cannot be shown")


def _require_identifier(place: Path, word: str) -> None:
    if not is_file_name(word):
        raise _odd(place, f"the identifier {word[:80]!r}, which could lead out of its folder")


def _odd(place: Path, what: str) -> DamagedResultsError:
    return DamagedResultsError(
        f"{place} holds {what}.",
        hint="Such results are not imported; nothing was written. Ask whoever made them.",
    )


def _renamed(table: pa.Table, source: Source) -> pa.Table:
    """The table with the source's prefix on models and identifiers."""
    prefixes = dict.fromkeys(_IDENTIFIERS, _prefixed(source, "")) | {"model": f"{source.name}."}
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
