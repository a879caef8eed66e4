"""Live separators: latency, time per block, late blocks, streamed against offline stems."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchbench.results.store import Results

__all__ = ["LiveRow", "LiveTable", "live_tables"]

EQUAL_DB = -80.0
"""Below this the streamed stems count as equal to the offline ones: 16-bit audio has more noise."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """Measurements for one block length; times in milliseconds, missing values None."""

    block_ms: float
    delay_impulse_ms: float | None
    delay_correlation_ms: float | None
    p50_ms: float
    p95_ms: float
    p99_ms: float
    late_share: float
    difference_db: float | None


@dataclass(frozen=True, slots=True)
class LiveTable:
    """One live model: one row per block length, shortest first."""

    model: str
    track: str
    rows: tuple[LiveRow, ...]

    @property
    def shortest(self) -> LiveRow | None:
        """The row of the shortest blocks of which at least 99% are on time."""
        return next((row for row in self.rows if row.late_share <= 0.01), None)

    @property
    def equal(self) -> bool:
        """Whether streamed stems equal offline ones at every block length."""
        return all(row.difference_db is None or row.difference_db < EQUAL_DB for row in self.rows)

    @property
    def verdict(self) -> str:
        """A summary of the rows in two sentences."""
        row = self.shortest
        if row is None:
            first = "No block length up to the longest is on time."
        else:
            delays = [d for d in (row.delay_impulse_ms, row.delay_correlation_ms) if d is not None]
            total = f" and {max(delays):.0f} ms of delay" if delays else ""
            first = f"On time with blocks of {row.block_ms:.0f} ms{total}."
        if self.equal:
            return f"{first} Streamed stems equal offline ones."
        worst = max(row.difference_db for row in self.rows if row.difference_db is not None)
        return f"{first} Streamed stems differ from offline ones by {worst:.1f} dB."


def live_tables(roots: Sequence[Path], models: Collection[str]) -> tuple[LiveTable, ...]:
    """The newest measurement of each live model.

    Parameters
    ----------
    roots
        Results folders.
    models
        Only these models, in this order.
    """
    frames = [Results(root).live_frame() for root in roots]
    every = pd.concat(frames, ignore_index=True).astype({"model": "str", "run_id": "str"})
    tables = []
    for name in models:
        own = every[every["model"] == name]
        if len(own):
            newest = own[own["run_id"] == own["run_id"].max()].sort_values("block_s")
            rows = tuple(_row(row) for row in newest.to_dict("records"))
            tables.append(LiveTable(name, str(newest["track"].iloc[0]), rows))
    return tuple(tables)


def _row(row: dict[str, float]) -> LiveRow:
    def milliseconds(name: str) -> float | None:
        return None if pd.isna(row[name]) else 1000 * row[name]

    return LiveRow(
        1000 * row["block_s"],
        milliseconds("delay_impulse_s"),
        milliseconds("delay_correlation_s"),
        1000 * row["p50_s"],
        1000 * row["p95_s"],
        1000 * row["p99_s"],
        row["late_share"],
        None if pd.isna(row["offline_difference_db"]) else row["offline_difference_db"],
    )
