"""Score estimates against references: pair the targets, compute the protocols, build the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchbench.io.hashing import short_hash
from benchbench.metrics import Protocol, Series, evaluate
from benchbench.metrics.arrays.mapped_arrays import mapped_zeros
from benchbench.metrics.references import References
from benchbench.metrics.targets import ReferenceSet
from benchbench.results.arrow_columns import float_column, text_column, version_column
from benchbench.results.schema import SCORES

__all__ = ["Labels", "add", "rows", "score_set"]

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Labels:
    """The columns that all rows of a cell share."""

    separation_id: str | None
    run_id: str
    model: str
    dataset: str
    track: str


def add(parts: Sequence[Floats]) -> Floats:
    """The sum of stems; shorter ones are padded with zeros."""
    if len(parts) == 1:
        return parts[0]
    length = max(part.shape[1] for part in parts)
    total = mapped_zeros((parts[0].shape[0], length), np.float32)
    for part in parts:
        total[:, : part.shape[1]] += part
    return total


def score_set(
    references: References,
    stems: Mapping[str, Floats],
    chosen: ReferenceSet,
    protocols: Sequence[Protocol],
) -> dict[str, list[Series]]:
    """Compute protocols for one set of references.

    Parameters
    ----------
    references
        The references of `chosen`, prepared.
    stems
        The model's stems, each (channels, samples).
    chosen
        The stems that are summed for each target.
    protocols
        The protocols to compute.

    Returns
    -------
    Protocol name -> values of its metrics.
    """
    estimates = {
        target: add([stems[stem] for stem in parts]) for target, parts in chosen.estimates.items()
    }
    return evaluate(references, estimates, protocols)


def rows(
    labels: Labels,
    protocol: Protocol,
    scored: Mapping[str, Sequence[Series]],
    cell: str,
) -> pa.Table:
    """The score rows of one cell.

    Parameters
    ----------
    labels
        The columns that are equal in all rows.
    protocol
        The cell's protocol.
    scored
        Name of the reference set -> values of the protocol's metrics.
    cell
        The cell's name.

    Returns
    -------
    A table of schema `benchbench.results.schema.SCORES`.
    """
    parts = [
        _series_table(labels, protocol, reference_set, series, cell)
        for reference_set, every in scored.items()
        for series in every
    ]
    return pa.concat_tables(parts) if parts else SCORES.empty_table()


def _series_table(
    labels: Labels, protocol: Protocol, reference_set: str, series: Series, cell: str
) -> pa.Table:
    count = len(series.values)
    text: dict[str, str | None] = {
        "cell_id": cell,
        "separation_id": labels.separation_id,
        "run_id": labels.run_id,
        "model": labels.model,
        "dataset": labels.dataset,
        "track": labels.track,
        "target": series.target,
        "reference_set": reference_set,
        "protocol": protocol.name,
        "metric": series.metric,
    }
    columns: dict[str, Any] = {name: text_column([value] * count) for name, value in text.items()}
    columns["metric_version"] = version_column(protocol.version, count)
    for name in ("band_lo_hz", "band_hi_hz", "start_s", "duration_s"):
        columns[name] = float_column(getattr(series, name), count)
    columns["value"] = float_column(series.values, count, finite=True)
    columns["reason"] = text_column(series.reasons)
    columns["metric_hash"] = text_column([protocol.content_hash or None] * count)
    return pa.table(columns, schema=SCORES)


def cell_id(separation_id: str, protocol: Protocol) -> str:
    """The name of one separation's scores under one protocol."""
    content = [protocol.content_hash] if protocol.content_hash else []
    return short_hash(separation_id, protocol.name, protocol.version, *content)
