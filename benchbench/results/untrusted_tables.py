"""Check the content of tables of strangers before it is stored, compared or shown."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.errors import DamagedResultsError
from benchbench.io.names import is_file_name
from benchbench.results.schema import STATUSES

__all__ = ["require_identifier", "require_sound", "words"]

IDENTIFIERS: Final = ("cell_id", "separation_id", "run_id")
"""Columns whose values become names of files."""
_LENGTHS: Final = ("duration_s", "load_s", "wall_s", "audio_s", "peak_rss_bytes", "peak_held_bytes")
_LONGEST_NAME: Final = 1000


def require_sound(place: Path, kind: str, table: pa.Table) -> pa.Table:
    """The table, if its names are usable and its numbers are ones that a run can write.

    Parameters
    ----------
    place
        The folder of the table, for messages.
    kind
        ``scores`` or ``separations``.
    table
        Rows with text columns as dictionaries.

    Raises
    ------
    DamagedResultsError
        For an identifier that could lead out of its folder, a name that is too long or cannot be
        shown, a number that is not finite, a negative duration, or an unknown status.
    """
    for column in table.column_names:
        if pa.types.is_dictionary(table[column].type):
            for word in words(table, column):
                _require_name(place, column, word)
        elif pa.types.is_floating(table[column].type):
            values = table[column].drop_null()
            if len(values) and not pc.all(pc.is_finite(values)).as_py():
                raise _odd(place, f"a {column} that is not finite")
        if column in _LENGTHS and (pc.min(table[column]).as_py() or 0) < 0:
            raise _odd(place, f"a {column} below zero")
    if kind == "separations":
        for word in set(words(table, "status")) - set(STATUSES):
            raise _odd(place, f"the status {word[:40]!r}")
    return table


def require_identifier(place: Path, word: str) -> None:
    """Refuse an identifier that cannot be the name of one file.

    Raises
    ------
    DamagedResultsError
    """
    if not is_file_name(word):
        raise _odd(place, f"the identifier {word[:80]!r}, which could lead out of its folder")


def words(table: pa.Table, column: str) -> list[str]:
    """The distinct values of a text column, without null."""
    return [word for word in pc.unique(table[column]).to_pylist() if word is not None]


def _require_name(place: Path, column: str, word: str) -> None:
    if column in IDENTIFIERS:
        require_identifier(place, word)
    elif column not in ("error", "log_tail"):
        if len(word) > _LONGEST_NAME:
            raise _odd(place, f"a {column} of {len(word)} characters")
        if not word.isprintable():
            raise _odd(place, f"the {column} {word[:40]!r}, with characters that cannot be shown")


def _odd(place: Path, what: str) -> DamagedResultsError:
    return DamagedResultsError(
        f"{place} holds {what}.",
        hint="Such results are not imported; nothing was written. Ask whoever made them.",
    )
