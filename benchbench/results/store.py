"""Results as plain files: append-only atomic parts, mergeable by copying, safe to kill at any time.

::

    <root>/runs/<run_id>/run.json
    <root>/separations/<separation_id>.parquet
    <root>/live/<live_id>.parquet
    <root>/scores/model=<quoted>/dataset=<quoted>/<cell_id>.parquet

Stored cells are recognised by file name, or by the keys of a compacted part, which holds many cells
(`benchbench.results.compaction`). Every part contains all columns, so a file can be read anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.errors import DamagedResultsError, UsageError
from benchbench.io.atomic import write_atomically, write_whole
from benchbench.io.names import file_name, is_file_name
from benchbench.io.remote import local_folder
from benchbench.results.arrow_columns import table_of_rows
from benchbench.results.integrity import damaged_parts
from benchbench.results.parquet_parts import (
    UNREADABLE,
    encoded,
    read_parts,
    stored_keys,
    while_compacted,
    write_parts,
)
from benchbench.results.run_schema import RUN_RECORD_ERRORS, read_run_record, run_records
from benchbench.results.schema import LIVE, PARTITIONED_BY, SCORES, SEPARATIONS
from benchbench.results.shortage import raise_if_short

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Results", "open_results"]


@dataclass(frozen=True, slots=True)
class Results:
    """A results folder: writes and reads its tables.

    Parameters
    ----------
    root
        The folder. Nothing is created before the first part is written.
    """

    root: Path

    # -- writing ---------------------------------------------------------------------------

    def write_scores(self, cell_id: str, model: str, dataset: str, table: pa.Table) -> Path:
        """Store the score rows of one cell (schema `benchbench.results.schema.SCORES`)."""
        path = self.scores_path(cell_id, model, dataset)
        write_atomically(path, lambda file: _write(table, SCORES, file, PARTITIONED_BY))
        return path

    def write_separation(self, row: Mapping[str, Any]) -> Path:
        """Store status, time and memory of one separation; replaces an earlier attempt."""
        path = self.root / "separations" / f"{_identifier(row['separation_id'])}.parquet"
        table = table_of_rows([row], SEPARATIONS)
        write_atomically(path, lambda file: _write(table, SEPARATIONS, file))
        return path

    def write_live(self, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Store the measurement of one live model, one row per block length."""
        path = self.live_path(rows[0]["live_id"])
        table = table_of_rows(rows, LIVE)
        write_atomically(path, lambda file: _write(table, LIVE, file))
        return path

    def live_path(self, live_id: str) -> Path:
        """The path of a live model's measurement, which may not exist."""
        return self.root / "live" / f"{_identifier(live_id)}.parquet"

    def write_run(self, run_id: str, facts: Mapping[str, Any]) -> Path:
        """Store ``run.json`` of a run."""
        path = self.run_folder(run_id) / "run.json"
        text = json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=False, allow_nan=False)
        return write_whole(path, text + "\n")

    # -- what is there ---------------------------------------------------------------------

    def scores_path(self, cell_id: str, model: str, dataset: str) -> Path:
        """The path of a cell's scores, which may not exist."""
        folder = self.root / "scores" / f"model={_quoted(model)}" / f"dataset={_quoted(dataset)}"
        return folder / f"{_identifier(cell_id)}.parquet"

    def run_folder(self, run_id: str) -> Path:
        """The folder of a run's record and logs, which may not exist."""
        return self.root / "runs" / _identifier(run_id)

    def stored_cells(self, model: str, dataset: str) -> frozenset[str]:
        """The cells of a model on a data set that have scores.

        Raises
        ------
        DamagedResultsError
            When a compacted part cannot be read.
        """
        place = self.scores_path("x", model, dataset).parent
        try:
            return frozenset(while_compacted(lambda: stored_keys(place, "cell_id")))
        except UNREADABLE as error:
            raise_if_short(error, place)
            bad = [path for path, _ in damaged_parts(self.root, "scores") if place in path.parents]
            raise _damaged(self.root, bad, error) from error

    def models(self) -> list[str]:
        """The models that have scores, according to the folder names."""
        names = (path.name for path in (self.root / "scores").glob("model=*"))
        return sorted(unquote(name.removeprefix("model=")) for name in names)

    def exists(self) -> bool:
        """Whether anything is stored here."""
        return any((self.root / name).is_dir() for name in ("scores", "separations", "runs"))

    def track_audio(self, track_hash: str) -> Path:
        """The folder with a track's kept audio: ``mixture.flac`` and ``<target>.flac``."""
        return self.root / "audio" / "tracks" / file_name(track_hash)

    def stem_audio(self, separation_id: str) -> Path:
        """The folder with a separation's kept stems: ``<stem>.flac``."""
        return self.root / "audio" / "separations" / file_name(separation_id)

    # -- reading ---------------------------------------------------------------------------

    def scores(
        self, *, columns: Sequence[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table:
        """All score rows, or those that match `where`, as one Arrow table."""
        return _read(self.root / "scores", SCORES, columns, where)

    def separations(self, *, columns: Sequence[str] | None = None) -> pa.Table:
        """One row per model and track: status, time and memory."""
        return _read(self.root / "separations", SEPARATIONS, columns, None)

    def encoded_scores(self) -> pa.Table:
        """All score rows, with text columns as dictionaries."""
        return _read(self.root / "scores", encoded(SCORES), None, None)

    def encoded_separations(self) -> pa.Table:
        """All separation rows, with text columns as dictionaries."""
        return _read(self.root / "separations", encoded(SEPARATIONS), None, None)

    def live_frame(self) -> pd.DataFrame:
        """One row per (live model, block length) as a data frame."""
        return _frame(_read(self.root / "live", encoded(LIVE), None, None))

    def scores_frame(
        self, where: pc.Expression | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """All score rows as a data frame; text columns are categoricals, missing values NaN."""
        return _frame(_read(self.root / "scores", encoded(SCORES), columns, where))

    def separations_frame(self) -> pd.DataFrame:
        """All separation rows as a data frame."""
        return _frame(self.encoded_separations())

    def runs(self) -> list[dict[str, Any]]:
        """Every ``run.json``, oldest first.

        Raises
        ------
        DamagedResultsError
            Names the file that is not a valid run record.
        """
        return sorted(self._runs(), key=lambda run: str(run.get("started", "")))

    def _runs(self) -> Iterator[dict[str, Any]]:
        try:
            paths = list(run_records(self.root))
        except OSError as error:
            raise_if_short(error, self.root / "runs")
            raise
        for path in paths:
            try:
                yield read_run_record(path)
            except RUN_RECORD_ERRORS as error:
                raise_if_short(error, path)
                raise DamagedResultsError(
                    f"{path} is not the record of a run: {error}.",
                    hint=f"Move the folder {path.parent} away; scores do not depend on it.",
                ) from error


def open_results(path: Path | str) -> Results:
    """Open a folder that must hold results; for an address, a local mirror of it.

    Raises
    ------
    UsageError
        When there is no such folder, or it holds no results.
    """
    results = Results(local_folder(path))
    if not results.exists():
        raise UsageError(
            f"There are no results in {path}.",
            hint="Make some with `bench run`, or name the folder that holds runs/ and scores/.",
        )
    return results


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _identifier(name: str) -> str:
    """Check the name of a cell, a separation or a run, which becomes a file name.

    Raises
    ------
    DamagedResultsError
        When it could lead out of its folder, or be confused with another name.
    """
    if not is_file_name(name):
        raise DamagedResultsError(
            f"{name[:80]!r} cannot name a cell, a separation or a run.",
            hint="Names are made of letters, digits, '.', '_' and '-'. Ask whoever made the results.",
        )
    return name


def _write(
    table: pa.Table, schema: pa.Schema, file: IO[bytes], dictionaries: Sequence[str] = ()
) -> None:
    write_parts([table.cast(schema)], schema, file, dictionaries)


def _read(
    folder: Path,
    schema: pa.Schema,
    columns: Sequence[str] | None,
    where: pc.Expression | None,
) -> pa.Table:
    try:
        return read_parts(folder, schema, schema.names[0], columns, where)
    except UNREADABLE as error:
        raise_if_short(error, folder)
        bad = [path for path, _ in damaged_parts(folder.parent, folder.name)]
        raise _damaged(folder.parent, bad, error) from error


def _damaged(root: Path, paths: Sequence[Path], error: Exception) -> DamagedResultsError:
    return DamagedResultsError(
        f"{len(paths) or 'Some'} parts in {root} cannot be read: "
        f"{', '.join(map(str, paths[:3])) or error}.",
        hint=f"`bench doctor {root} --repair` sets damaged parts aside; "
        "the next run computes only those again.",
    )


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
