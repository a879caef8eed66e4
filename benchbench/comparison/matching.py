"""Pair the numbers of two sides, and find those without a partner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.comparison.side import Side
from benchbench.errors import BenchbenchError, NothingToCompareError
from benchbench.metrics import metric as metric_named
from benchbench.stats.groups import group_by
from benchbench.stats.tracks import BLOCK

__all__ = [
    "Block",
    "BlockKey",
    "Match",
    "TrackIndex",
    "blocks_of",
    "kinds_apart",
    "match_blocks",
    "model_pairs",
]

BlockKey: TypeAlias = tuple[Any, ...]
"""The values of `BLOCK`, with None for a missing band edge."""

_LOOSE: Final = ("target", "metric", "band_lo_hz", "band_hi_hz")
_STRICT: Final = tuple(key for key in BLOCK if key not in _LOOSE)
_PLACE: Final = {key: place for place, key in enumerate(BLOCK)}


@dataclass(frozen=True, slots=True)
class Block:
    """One model's numbers on one target, reference set, protocol, metric and band.

    Parameters
    ----------
    key
        The values of the columns in `BLOCK`, in that order.
    tracks
        Positions in a `TrackIndex`, of shape (tracks,).
    values
        NaN where a track has no value, of shape (tracks,).
    frames, missing
        The number of frames, and how many of them have no value.
    """

    key: BlockKey
    tracks: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    frames: int
    missing: int


@dataclass(frozen=True, slots=True)
class Match:
    """A pair of blocks, or a block without a partner and the reason.

    Parameters
    ----------
    model_a, model_b
        The models of the two sides.
    a, b
        The blocks; one of them is None if there is no partner.
    cause
        Empty, or why they are not compared: a key of the block, ``dataset_hash``, ``only_in_a`` or
        ``only_in_b``.
    note
        The cause as a sentence.
    """

    model_a: str
    model_b: str
    a: Block | None
    b: Block | None
    cause: str = ""
    note: str = ""

    @property
    def key(self) -> BlockKey:
        """The key of the block; that of `a` if there are two."""
        block = self.a or self.b
        return block.key if block is not None else ()


@dataclass(slots=True)
class TrackIndex:
    """A number for every (data set, track) of both sides."""

    place: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, table: pd.DataFrame) -> npt.NDArray[np.int64]:
        """The number of each row's track; new tracks get new numbers."""
        groups = group_by(table, ["dataset", "track"])
        first = table.iloc[groups.first]
        names = zip(first["dataset"].astype(str), first["track"].astype(str), strict=True)
        numbers = np.array([self.place.setdefault(name, len(self.place)) for name in names], int)
        return numbers[groups.of_row] if len(table) else np.zeros(0, np.int64)

    def names(self) -> list[tuple[str, str]]:
        """(data set, track) by number."""
        return list(self.place)


def model_pairs(a: Side, b: Side) -> list[tuple[str, str]]:
    """Models to compare: the only one of each side, else those with the same name.

    Raises
    ------
    NothingToCompareError
        When a side has several models and no name occurs on both sides.
    """
    ours, theirs = a.models, b.models
    if len(ours) == len(theirs) == 1:
        return [(ours[0], theirs[0])]
    common = sorted({*ours} & {*theirs})
    if not common:
        raise NothingToCompareError(
            f"{a.label} has {_few(ours)}; {b.label} has {_few(theirs)}: no model is in both.",
            hint="Name one model of each side: FOLDER@MODEL.",
        )
    return [(name, name) for name in common]


def blocks_of(side: Side, index: TrackIndex) -> dict[str, dict[BlockKey, Block]]:
    """The blocks of every model of a side."""
    table = side.tracks
    numbers = index.of(table)
    values = table["value"].to_numpy(dtype=np.float64)
    frames, missing = table["frames"].to_numpy(), table["missing"].to_numpy()
    groups = group_by(table, ("model", *BLOCK))
    heads = table[["model", *BLOCK]].iloc[groups.first].astype("object")
    found: dict[str, dict[BlockKey, Block]] = {name: {} for name in side.models}
    for head, rows in zip(heads.itertuples(index=False, name=None), groups.members(), strict=True):
        key = tuple(None if pd.isna(item) else item for item in head[1:])
        block = Block(
            key, numbers[rows], values[rows], int(frames[rows].sum()), int(missing[rows].sum())
        )
        found[str(head[0])][key] = block
    return found


def match_blocks(
    pair: tuple[str, str],
    a: Mapping[BlockKey, Block],
    b: Mapping[BlockKey, Block],
    hashes: tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]],
) -> list[Match]:
    """Pair the blocks of two models; blocks without a partner come with the reason."""
    matches = []
    for key, block in a.items():
        partner = b.get(key)
        if partner is not None:
            cause, note = _data_set_changed(str(key[_PLACE["dataset"]]), hashes)
            matches.append(Match(*pair, block, partner, cause, note))
        else:
            cause, note = _why_alone(key, b, "a", pair[1])
            matches.append(Match(*pair, block, None, cause, note))
    for key, block in b.items():
        if key not in a:
            cause, note = _why_alone(key, a, "b", pair[0])
            if cause == "only_in_b":  # otherwise reported already for the other side
                matches.append(Match(*pair, None, block, cause, note))
    return matches


def kinds_apart(match: Match, a: Side, b: Side) -> Match:
    """The match, not compared if a metric cannot rank a generative against a masking separator."""
    if match.cause or (match.model_a in a.generative) == (match.model_b in b.generative):
        return match
    protocol, metric = (str(match.key[_PLACE[name]]) for name in ("protocol", "metric"))
    try:
        if metric_named(protocol, metric).across_kinds:
            return match
    except BenchbenchError:
        pass  # nor can an unknown metric
    note = f"{metric} does not rank generative against masking separators as listeners do"
    return replace(match, cause="kind", note=note)


def _data_set_changed(
    dataset: str, hashes: tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]
) -> tuple[str, str]:
    ours, theirs = (side.get(dataset, frozenset()) for side in hashes)
    if not ours or not theirs or ours == theirs:
        return "", ""
    shown = " against ".join("+".join(sorted(item[:8] for item in side)) for side in (ours, theirs))
    return "dataset_hash", f"data set {dataset} has different versions: {shown}"


def _why_alone(
    key: BlockKey, others: Mapping[BlockKey, Block], side: str, model: str
) -> tuple[str, str]:
    """The most similar block of the same target, metric and band, and how it differs."""
    loose = [_PLACE[name] for name in _LOOSE]
    near = [other for other in others if all(other[place] == key[place] for place in loose)]
    if not near:
        return f"only_in_{side}", f"{model} has no such score"

    def differences(other: BlockKey) -> list[str]:
        return [name for name in _STRICT if other[_PLACE[name]] != key[_PLACE[name]]]

    other = min(near, key=lambda item: len(differences(item)))
    apart = differences(other)
    said = [f"{name} {key[_PLACE[name]]} against {other[_PLACE[name]]}" for name in apart]
    shown = said if side == "a" else [f"{name} differs" for name in apart]
    return apart[0], "; ".join(shown)


def _few(names: list[str]) -> str:
    return (", ".join(names[:4]) or "no numbers") + (
        f" and {len(names) - 4} more" if len(names) > 4 else ""
    )
