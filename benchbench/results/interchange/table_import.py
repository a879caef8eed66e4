"""Tables of anyone's making, read with a mapping that says which column is what."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchbench.errors import ManifestError, UnknownNameError, UsageError, closest
from benchbench.results.interchange.provenance import Imported, Source, store_import

__all__ = ["Mapping", "import_table", "read_mapping"]

_COLUMNS: Final = (
    *("model", "dataset", "track", "target", "reference_set", "protocol", "metric", "value"),
    *("start_s", "duration_s", "band_lo_hz", "band_hi_hz", "reason"),
)
_NEEDED: Final = ("model", "track", "target", "metric", "value")
_CONSTANT: Final = ("model", "dataset", "target", "reference_set", "protocol", "metric")
_RENAMED: Final = ("model", "target", "metric", "track")
_MAPPING_KEYS: Final = ("columns", "constant", "metrics", "rename", "metric_version")


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column of a table is what.

    Parameters
    ----------
    columns
        Our column to theirs, for instance ``{"model": "Separator"}``; columns of the same name need
        no entry.
    constant
        Values that hold for all rows, for instance ``{"protocol": "usdr"}``.
    metrics
        For wide tables, which have a column a metric: our metric's name to their column.
    rename
        For each of our columns, their values to ours: ``{"target": {"voice": "vocals"}}``.
    metric_version
        The version of the protocol, where it is known to be one of ours.
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
        For a key that is not known, with a suggestion.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}.") from error
    _known(path, "", data, _MAPPING_KEYS)
    for table, known in (("columns", _COLUMNS), ("constant", _CONSTANT), ("rename", _RENAMED)):
        if not isinstance(data.get(table, {}), dict):
            raise ManifestError(f"{path}: {table} must be a table.")
        _known(path, f"{table}.", data.get(table, {}), known)
    return Mapping(**data)


def _known(path: Path, place: str, data: dict[str, Any], known: Sequence[str]) -> None:
    for key in data:
        if key not in known:
            guess = closest(key, known)
            raise ManifestError(
                f"{path}: unknown key {place}{key}.",
                hint=f"Did you mean {guess!r}?" if guess else f"Known keys: {', '.join(known)}.",
            )


def import_table(
    path: Path | str, results: Path | str, source: Source, mapping: Mapping | None = None
) -> Imported:
    """Import a Parquet or CSV table of (model, track, target, metric, value).

    Parameters
    ----------
    path
        The table; a name ending in ``.parquet`` is read as Parquet, all else as CSV.
    results
        The results folder to import into.
    source
        Where the numbers come from.
    mapping
        Which column is what. Without one the columns must have our names.

    Notes
    -----
    A protocol that is not stated becomes the source's own (``stemsplit``), a reference set that is
    not stated ``unstated``: such numbers stand beside others without ever sharing their column.

    Raises
    ------
    UsageError
        When the table cannot be read or a column is missing.
    """
    path, mapping = Path(path), mapping or Mapping()
    table = _read(path)
    rows = _mapped(path, table, mapping)
    for column, names in mapping.rename.items():
        rows[column] = [names.get(str(item), str(item)) for item in rows[column]]
    defaults = {"dataset": "unstated", "reference_set": "unstated", "protocol": source.name}
    for column, value in defaults.items():
        if column not in rows:
            rows[column] = value
    rows["metric_version"] = mapping.metric_version
    empty = rows[list(_NEEDED[:-1])].isna().any(axis=1)
    notes = [f"{int(empty.sum())} rows without a model, track, target or metric were left out."]
    return store_import(
        results,
        rows[~empty],
        source,
        kind="table",
        files=[path],
        notes=notes if empty.any() else (),
    )


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",")
    except (OSError, ValueError) as error:  # pandas' and pyarrow's parse errors are ValueErrors
        raise UsageError(f"{path} cannot be read as a table: {error}.") from error


def _mapped(path: Path, table: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    def column_of(name: str) -> str:
        wanted = mapping.columns.get(name, name)
        if wanted not in table:
            raise UnknownNameError("column", wanted, map(str, table.columns), where=f" in {path}")
        return wanted

    if mapping.metrics:
        wide = [column for column in mapping.metrics.values() if column_of(column)]
        names = {theirs: ours for ours, theirs in mapping.metrics.items()}
        table = table.melt(
            id_vars=[column for column in table if column not in wide],
            value_vars=wide,
            var_name="metric",
            value_name="value",
        )
        table["metric"] = table["metric"].map(names)
    rows = {}
    for name in _COLUMNS:
        if name in mapping.constant:
            rows[name] = pd.Series(mapping.constant[name], table.index, dtype=object)
        elif name in mapping.columns or name in table or name in _NEEDED:
            rows[name] = table[column_of(name)]
    frame = pd.DataFrame(rows)
    values = pd.to_numeric(frame["value"], errors="coerce")
    frame["value"] = values.replace([np.inf, -np.inf], np.nan)
    return frame
