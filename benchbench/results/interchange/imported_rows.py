"""Parse rows of text, check them for duplicates, and split them into one table per model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from benchbench.errors import UsageError
from benchbench.results.interchange.imported_values import with_reasons
from benchbench.results.schema import REASONS, SCORES

__all__ = ["LINE", "number", "score_tables"]

LINE: Final = "line_number"
"""Column with the line (or row) number of a value."""

_IDENTITY: Final = (
    *("model", "dataset", "track", "target", "reference_set", "protocol", "metric"),
    *("metric_version", "band_lo_hz", "band_hi_hz", "start_s", "duration_s"),
)
_MISSING: Final = {"", "nan", "na", "n/a", "#n/a", "none", "null", "nil", "-", "--", "?"}
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def number(path: Path, line: int, column: str, text: object) -> float:
    """The number in a cell; NaN if the cell says that there is none.

    A comma is read as the decimal mark if the cell has one comma and no point.

    Raises
    ------
    UsageError
        For any other text; names file, line, column and text.
    """
    if text is None or (isinstance(text, float) and np.isnan(text)):
        return float("nan")
    if isinstance(text, (int, float, np.number)) and not isinstance(text, bool):
        return float(text)
    words = str(text).strip().replace("\N{MINUS SIGN}", "-")
    if words.lower() in _MISSING:
        return float("nan")
    if _DECIMAL_COMMA.fullmatch(words):
        words = words.replace(",", ".")
    try:
        if "_" in words:
            raise ValueError(words)
        return float(words)
    except ValueError:
        raise UsageError(
            f"{path}, line {line}: {column} is {str(text)!r}, which is not a number.",
            hint="Leave the cell empty, or write nan, where there is no number.",
        ) from None


def score_tables(path: Path, rows: pd.DataFrame) -> Iterator[pa.Table]:
    """One table per model and data set, for `store_import`.

    Parameters
    ----------
    path
        The file's path, for error messages.
    rows
        Columns of `SCORES` and `LINE`; values as floats, NaN if the source has no number.

    Raises
    ------
    UsageError
        When two rows have the same key.
    """
    identity = [name for name in _IDENTITY if name in rows]
    repeated = rows.duplicated(identity, keep=False)
    if repeated.any():
        first = rows[repeated].iloc[0]
        same = rows[(rows[identity].astype(str) == first[identity].astype(str)).all(axis=1)]
        lines = ", ".join(str(line) for line in same[LINE].head(4))
        raise UsageError(
            f"{path}, lines {lines}: {first['metric']} of {first['target']} on {first['track']} "
            f"is given {len(same)} times.",
            hint="Two songs of one name need different names, data sets or frames.",
        )
    rows = _with_reasons(rows.reset_index(drop=True))
    for _, part in rows.groupby(["model", "dataset"], sort=True):
        names = [name for name in SCORES.names if name in part]
        schema = pa.schema([SCORES.field(name) for name in names])
        yield pa.Table.from_pandas(part[names], schema=schema, preserve_index=False)


def _with_reasons(rows: pd.DataFrame) -> pd.DataFrame:
    """Convert missing and infinite values as in local scores; known reasons are kept."""
    stated = rows["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    values, reasons = stated.copy(), np.full(len(rows), None, dtype=object)
    for (protocol, metric), part in rows.groupby(["protocol", "metric"], sort=False):
        at = part.index.to_numpy()
        values[at], reasons[at] = with_reasons(stated[at], str(protocol), str(metric))
    if "reason" in rows:
        known = rows["reason"].isin(REASONS).to_numpy(dtype=bool)
        reasons = np.where(known, rows["reason"].to_numpy(dtype=object), reasons)
    return rows.assign(value=values, reason=reasons)
