"""The rows of `benchbench.stats.per_track` for a whole results folder, kept compactly.

A folder of 10,000 tracks and 50 models has eight million rows. One table of them takes 50 bytes per
row, and joining the tables of the models takes that twice. Here every model keeps a table of its
own, in which a column with a single value stores that value once; 12 bytes per row remain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["TrackRows", "compact", "joined", "track_rows"]

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.signedinteger]

Kind = TypeVar("Kind", bound=np.generic)

_NARROW: Final = {
    "frames": "int32",
    "missing": "int32",
    "ill_conditioned": "float32",
    "distrusted": "float32",
}
_BANDS: Final = ("band_lo_hz", "band_hi_hz")


@dataclass(frozen=True)
class TrackRows:
    """Per-track tables, one for each model.

    Parameters
    ----------
    parts
        The tables; at least one. Text columns are categoricals with the same categories in all.
    """

    parts: tuple[pd.DataFrame, ...]

    def __len__(self) -> int:
        """The number of rows."""
        return sum(len(part) for part in self.parts)

    def present(self, column: str) -> list[str]:
        """The words of a text column that occur, sorted."""
        return sorted({str(word) for part in self.parts for word in part[column].unique()})

    def of_models(self, names: Sequence[str]) -> TrackRows:
        """The rows of some models."""
        wanted = [part["model"].isin(list(names)) for part in self.parts]
        pairs = zip(self.parts, wanted, strict=True)
        kept = [part if mask.all() else part[mask] for part, mask in pairs if mask.any()]
        return TrackRows(tuple(kept or [self.parts[0].iloc[:0]]))

    def where(self, condition: Callable[[pd.DataFrame], Mask | pd.Series]) -> pd.DataFrame:
        """The rows of all models that meet a condition, as one table."""
        return joined([part[np.asarray(condition(part), dtype=bool)] for part in self.parts])

    def whole(self) -> pd.DataFrame:
        """All rows as one table, which may be large."""
        return joined(list(self.parts))


def compact(tracks: pd.DataFrame) -> pd.DataFrame:
    """The table with narrow counts and shares; a column with one value stores it once.

    Values and means keep their width. Text columns must be categoricals.
    """
    kinds = _NARROW | {name: "float32" for name in _BANDS if tracks[name].isna().all()}
    columns: dict[str, pd.Series] = {}
    arrays: dict[int, tuple[object, pd.Series]] = {}  # two columns may hold the same array
    for name, column in tracks.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            columns[str(name)] = _text(_codes(column), column.dtype)
        else:
            values = column.to_numpy()
            place = values.__array_interface__["data"][0]
            if place not in arrays:
                narrow = values.astype(kinds.get(str(name), values.dtype))
                arrays[place] = values, pd.Series(_once(narrow), copy=False)
            columns[str(name)] = arrays[place][1]
    return pd.DataFrame(columns, copy=False)


def track_rows(tables: Iterable[pd.DataFrame]) -> TrackRows:
    """Give the text columns of compact tables the same categories, sorted."""
    parts = list(tables)
    parts = [part for part in parts if len(part)] or parts[:1]
    text = [name for name in parts[0] if isinstance(parts[0][name].dtype, pd.CategoricalDtype)]
    changed = {str(name): _same_categories([part[name] for part in parts]) for name in text}
    return TrackRows(
        tuple(
            pd.DataFrame(
                {str(name): changed[str(name)][place] if name in text else column
                 for name, column in part.items()},
                copy=False,
            )
            for place, part in enumerate(parts)
        )
    )  # fmt: skip


def joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate tables of several models; text columns become categoricals over all values.

    The list is emptied, so that each column can be freed once it is joined.
    """
    sources = [dict(table.items()) for table in tables if len(table)] or [dict(tables[0].items())]
    tables.clear()
    columns: dict[str, pd.Series] = {}
    for name in list(sources[0]):
        pieces = [source.pop(name) for source in sources]
        if any(isinstance(piece.dtype, pd.CategoricalDtype) for piece in pieces):
            pieces = _same_categories(pieces)
        columns[str(name)] = pd.concat(pieces, ignore_index=True)
    return pd.DataFrame(columns, copy=False)


def _same_categories(columns: Sequence[pd.Series]) -> list[pd.Series]:
    """The columns with the categories of all, sorted."""
    encoded = [column.astype("category") for column in columns]
    lists: list[pd.Index] = []  # models have the same tracks, so there are few different lists
    chosen = []
    for column in encoded:
        categories = column.cat.categories
        place = next((p for p, known in enumerate(lists) if known.equals(categories)), len(lists))
        if place == len(lists):
            lists.append(categories)
        chosen.append(place)
    texts = [[str(word) for word in categories] for categories in lists]
    words = sorted({word for text in texts for word in text})
    kind: pd.CategoricalDtype = pd.CategoricalDtype(pd.Index(words, dtype="object"))
    index = {word: code for code, word in enumerate(words)}
    codes = [np.array([*(index[word] for word in text), -1], np.int64) for text in texts]
    return [
        _text(_mapped(_codes(column), codes[place]), kind)
        for column, place in zip(encoded, chosen, strict=True)
    ]


def _mapped(codes: Codes, new: npt.NDArray[np.int64]) -> Codes:
    """Codes of other categories; one code that is stored once stays so."""
    if len(new) == 1 or np.array_equal(new[:-1], np.arange(len(new) - 1)):
        return codes
    if _stored(codes) == 1:
        return np.broadcast_to(new[codes[:1]], codes.shape)
    return np.asarray(new[codes])


def _codes(column: pd.Series) -> Codes:
    """The codes of a categorical column, without the copy that ``column.cat.codes`` makes."""
    return np.asarray(column.array.codes)


def _text(codes: Codes, kind: Any) -> pd.Series:
    width = np.min_scalar_type(-len(kind.categories) - 2)  # as pandas chooses it
    narrow = codes if codes.dtype == width else codes[: _stored(codes)].astype(width)
    once = _once(narrow) if len(narrow) == len(codes) else np.broadcast_to(narrow, codes.shape)
    return pd.Series(pd.Categorical.from_codes(once, dtype=kind, validate=False), copy=False)


def _stored(values: npt.NDArray[np.generic]) -> int:
    """The number of elements that are stored."""
    return min(1, len(values)) if values.strides == (0,) else len(values)


def _once(values: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
    """A view that repeats one element if all are the same."""
    if _stored(values) < 2:
        return values
    first = values[:1]
    same = (values == first).all() or ((first != first).any() and (values != values).all())
    return np.broadcast_to(first.copy(), values.shape) if same else values
