"""Import tables in any format with a mapping that describes their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchbench.errors import ManifestError, UnknownNameError, UsageError, closest
from benchbench.io.toml_files import parse_toml
from benchbench.results.interchange.import_store import content_digest, store_import
from benchbench.results.interchange.imported_rows import LINE, number, score_tables
from benchbench.results.interchange.imported_values import read_text
from benchbench.results.interchange.provenance import Imported, Roles, Source
from benchbench.results.interchange.tables import read_table

__all__ = ["Mapping", "import_table", "mapped_rows", "read_mapping"]

_COLUMNS: Final = (
    *("model", "dataset", "track", "target", "reference_set", "protocol", "metric", "value"),
    *("start_s", "duration_s", "band_lo_hz", "band_hi_hz", "reason"),
)
_NUMBERS: Final = ("value", "start_s", "duration_s", "band_lo_hz", "band_hi_hz")
_NEEDED: Final = ("model", "track", "target", "metric", "value")
_CONSTANT: Final = ("model", "dataset", "target", "reference_set", "protocol", "metric")
_RENAMED: Final = ("model", "target", "metric", "track")
_MAPPING_KEYS: Final = ("columns", "constant", "metrics", "rename", "metric_version")


@dataclass(frozen=True, slots=True)
class Mapping:
    """The meaning of the columns of a table.

    Parameters
    ----------
    columns
        Our column to theirs, for instance ``{"model": "Separator"}``; columns of the same name need
        no entry.
    constant
        Values that hold for all rows, for instance ``{"protocol": "usdr"}``.
    metrics
        For wide tables, which have a column per metric: our metric's name to their column.
    rename
        For each of our columns, their values to ours: ``{"target": {"voice": "vocals"}}``.
    metric_version
        The version of the protocol, if it is known to be one of benchbench.
    """

    columns: dict[str, str] = field(default_factory=dict)
    constant: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    rename: dict[str, dict[str, str]] = field(default_factory=dict)
    metric_version: int = 0


def read_mapping(path: Path | str) -> Mapping:
    """Read a mapping file, of TOML.

    Raises
    ------
    ManifestError
        For an unknown key, with a suggestion.
    """
    path = Path(path)
    try:
        data = parse_toml(read_text(path))
    except (UsageError, ValueError) as error:
        raise ManifestError(f"{path} cannot be read: {error}.") from error
    _known(path, "", data, _MAPPING_KEYS)
    tables = {"columns": _COLUMNS, "constant": _CONSTANT, "rename": _RENAMED, "metrics": None}
    for table, known in tables.items():
        entries = data.get(table, {})
        if not isinstance(entries, dict):
            raise ManifestError(f"{path}: {table} must be a table.")
        if known is not None:
            _known(path, f"{table}.", entries, known)
        if table == "rename":
            for column, names in entries.items():
                _refuse_other_types(path, f"rename.{column}", names)
        else:
            _refuse_other_types(path, table, entries)
    version = data.get("metric_version", 0)
    if type(version) is not int or not 0 <= version < 1 << 31:
        raise ManifestError(f"{path}: metric_version must be a whole number from 0 to 2147483647.")
    return Mapping(**data)


def _refuse_other_types(path: Path, place: str, entries: object) -> None:
    if not isinstance(entries, dict) or not all(isinstance(text, str) for text in entries.values()):
        raise ManifestError(f"{path}: {place} must be a table of texts.")


def _known(path: Path, place: str, data: dict[str, Any], known: Sequence[str]) -> None:
    for key in data:
        if key not in known:
            guess = closest(key, known)
            raise ManifestError(
                f"{path}: unknown key {place}{key}.",
                hint=f"Did you mean {guess!r}?" if guess else f"Known keys: {', '.join(known)}.",
            )


def import_table(
    path: Path | str,
    results: Path | str,
    source: Source,
    mapping: Mapping | None = None,
    *,
    roles: Roles | None = None,
) -> Imported:
    """Import a Parquet or CSV table of (model, track, target, metric, value).

    Parameters
    ----------
    path
        The table; a name ending in ``.parquet`` is read as Parquet, all else as text with commas,
        semicolons or tabs between the columns.
    results
        The results folder to import into.
    source
        Where the numbers come from.
    mapping
        The meaning of the columns. Without one they must have benchbench's names.
    roles
        Which models are oracles or baselines.

    Notes
    -----
    A missing protocol is named after the source (``stemsplit``), a missing reference set becomes
    ``unstated``: such numbers never share a column with others.

    Raises
    ------
    UsageError
        When the table cannot be read, a column is missing, a cell is not a number, or two rows have
        the same key; the message names the line.
    """
    path, mapping = Path(path), mapping or Mapping()
    rows = mapped_rows(path, read_table(path), mapping)
    for column, names in mapping.rename.items():
        rows[column] = [names.get(item, item) for item in rows[column]]
    defaults = {"dataset": "unstated", "reference_set": "unstated", "protocol": source.name}
    for column, value in defaults.items():
        if column not in rows:
            rows[column] = value
    rows["metric_version"] = mapping.metric_version
    empty = (rows[list(_NEEDED[:-1])] == "").any(axis=1)
    notes = [f"{int(empty.sum())} rows without a model, track, target or metric were left out."]
    return store_import(
        results,
        score_tables(path, rows[~empty]),
        source,
        kind="table",
        files=[path],
        digest=content_digest([(path.name, path)], mapping),
        roles=roles,
        notes=notes if empty.any() else (),
    )


def mapped_rows(path: Path, table: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """The rows of a table in our columns: text as strings, numbers as floats.

    Raises
    ------
    UnknownNameError
        For a column that does not exist; suggests the closest one.
    UsageError
        For a cell that is not a number.
    """
    known = [name for name in table if name != LINE]

    def column_of(name: str) -> str:
        wanted = mapping.columns.get(name, name)
        if wanted not in known:
            raise UnknownNameError("column", wanted, map(str, known), where=f" in {path}")
        return wanted

    if mapping.metrics:
        wide = [column_of(column) for column in mapping.metrics.values()]
        names = {theirs: ours for ours, theirs in mapping.metrics.items()}
        table = table.melt(
            id_vars=[column for column in table if column not in wide],
            value_vars=wide,
            var_name="metric",
            value_name="value",
        )
        table["metric"] = table["metric"].map(names)
        known = [*known, "metric", "value"]
    rows: dict[str, Any] = {LINE: table[LINE]}
    for name in _COLUMNS:
        if name in mapping.constant:
            rows[name] = mapping.constant[name]
        elif name in mapping.columns or name in table or name in _NEEDED:
            rows[name] = table[column_of(name)]
    frame = pd.DataFrame(rows, index=table.index)
    for name in frame.columns.drop(LINE):
        if name in _NUMBERS:
            cells = zip(frame[LINE], frame[name], strict=True)
            frame[name] = [number(path, line, name, text) for line, text in cells]
        else:
            cells = zip(frame[LINE], frame[name], strict=True)
            frame[name] = [_word(path, line, name, item) for line, item in cells]
    return frame


def _word(path: Path, line: int, column: str, item: Any) -> str:
    """The text of a cell; "" for an empty one.

    Raises
    ------
    UsageError
        When the cell of a Parquet table holds a list or a record.
    """
    if not pd.api.types.is_scalar(item):
        raise UsageError(f"{path}, line {line}: {column} is a {type(item).__name__}, not a text.")
    return "" if pd.isna(item) else str(item)
