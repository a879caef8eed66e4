"""The site's data: every number of every track, and every pair, as Parquet for remote reading.

Readers such as DuckDB fetch the footer and then only the row groups that a query needs. Rows are
sorted by model and each model has row groups of its own, so the numbers of one model are a small
part of the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchbench.reporting.page import Page
from benchbench.reporting.sections.reproduce import shown_tracks

__all__ = ["pairs_file", "tracks_file"]


def tracks_file(page: Page) -> bytes:
    """One row per model, track, target and metric, as in the page's own download."""
    frame = shown_tracks(page.loaded.tracks.whole())
    text = [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    frame = frame.sort_values(["model", "dataset", "track"], kind="stable").reset_index(drop=True)
    models = frame["model"].astype("object").to_numpy()
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    for name in text:  # plain text has statistics by which a reader skips row groups
        index = table.column_names.index(name)
        table = table.set_column(index, name, table.column(name).cast(pa.string()))
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, table.schema, compression="zstd") as writer:
        for start, stop in _runs(models):
            writer.write_table(table.slice(start, stop - start))
    return buffer.getvalue()


def _runs(values: object) -> Iterator[tuple[int, int]]:
    """Start and end of each run of equal values."""
    listed = list(values)  # type: ignore[call-overload]
    start = 0
    for place in range(1, len(listed) + 1):
        if place == len(listed) or listed[place] != listed[start]:
            yield start, place
            start = place


def pairs_file(page: Page) -> bytes:
    """One row per pair of models and target: the tests behind the pages of differences."""
    rows = [
        {"dataset": one.board.series.dataset, "reference_set": one.board.series.references,
         "target": one.board.series.target, "protocol": one.board.series.protocol,
         "metric": one.board.series.metric, "aggregation": one.board.aggregation, **asdict(pair)}
        for one in page.differences for pair in one.tests.pairs.values()
    ]  # fmt: skip
    buffer = io.BytesIO()
    columns = ["dataset", "reference_set", "target", "protocol", "metric", "aggregation"]
    table = pa.Table.from_pylist(rows) if rows else pa.table({name: [] for name in columns})
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
