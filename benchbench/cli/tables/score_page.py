"""The scores of a folder of stems as a self-contained HTML page."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from benchbench.cli.tables.scores import PLAIN_COLUMNS, summary_lines
from benchbench.comparison.html import verdict_page
from benchbench.metrics import protocol
from benchbench.results.schema import REASONS

__all__ = ["score_page"]

NUMBERS = (PLAIN_COLUMNS.index("values"), PLAIN_COLUMNS.index("median"))


def score_page(table: pa.Table) -> str:
    """The page: all tracks first, then each track, the reasons, and what each protocol measures.

    Parameters
    ----------
    table
        Rows of schema `benchbench.results.schema.SCORES`, of one folder of estimates.
    """
    per_track, over_tracks = summary_lines(table)
    model, dataset = (_first(table, name) for name in ("model", "dataset"))
    reasons = sorted({str(name) for name in table.column("reason").to_pylist() if name is not None})
    return verdict_page(
        "scores.html",
        title=f"{model} against {dataset}",
        header=PLAIN_COLUMNS,
        numbers=NUMBERS,
        over_tracks=[("", cells) for cells in over_tracks],
        per_track=[("", cells) for cells in per_track],
        reasons=[(name, REASONS.get(name, "no explanation is known")) for name in reasons],
        protocols=[_facts(name) for name in dict.fromkeys(table.column("protocol").to_pylist())],
    )


def _facts(name: str) -> dict[str, Any]:
    about = protocol(name)
    return {
        "name": about.name,
        "summary": about.summary,
        "good_for": about.good_for,
        "misleads": about.misleads,
    }


def _first(table: pa.Table, name: str) -> str:
    return str(table.column(name)[0].as_py()) if table.num_rows else ""
