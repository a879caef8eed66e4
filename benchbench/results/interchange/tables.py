"""Read Parquet and delimited text as data frames, with the line number of each row."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchbench.errors import UsageError
from benchbench.io.plain_files import is_plain
from benchbench.io.spreadsheet import plain_cell
from benchbench.results.interchange.imported_rows import LINE
from benchbench.results.interchange.imported_values import read_text
from benchbench.results.part_limits import require_bounded

__all__ = ["read_table"]

_SEPARATORS = ",;\t"


def read_table(path: Path) -> pd.DataFrame:
    """The cells of a table, with the line number in the column `LINE`.

    Text files give unchanged strings (``NA`` and ``007`` may be names of songs); their separator is
    the one that is most frequent in the first line. Parquet files keep their types.

    Raises
    ------
    UsageError
        When the file cannot be read, or a line has more or fewer cells than the first one.
    """
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    return _read_text_table(path, read_text(path))


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        if not is_plain(path.resolve()):
            raise OSError("it is no plain file")
        with pq.ParquetFile(path) as file:
            require_bounded(file.metadata, path.stat().st_size)
            table: pd.DataFrame = file.read().to_pandas(ignore_metadata=True)
    except (OSError, ValueError, TypeError, KeyError, OverflowError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read as a table: {error}.") from error
    table[LINE] = range(1, len(table) + 1)
    return table


def _read_text_table(path: Path, text: str) -> pd.DataFrame:
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    first, _, rest = text.partition("\n")
    skipped = 0
    if first.lower().startswith("sep=") and len(first.strip()) == 5:  # from a spreadsheet
        separator, text, skipped = first[4], rest, 1
    else:
        separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise UsageError(
                    f"{path}, line {reader.line_num + skipped}: {len(row)} cells where the first "
                    f"line names {len(header)} columns."
                )
            lines.append(reader.line_num + skipped)
            rows.append([plain_cell(cell) for cell in row])
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num + skipped}: {error}.") from error
    if len(set(header)) < len(header):
        raise UsageError(f"{path}: two columns are called alike: {', '.join(header)}.")
    table = pd.DataFrame(rows, columns=header, dtype=object)
    table[LINE] = lines
    return table
