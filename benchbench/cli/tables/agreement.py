"""The table of `bench agreement`: one line per metric, one column per kind of pair."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from benchbench.io.text_table import aligned
from benchbench.stats.agreement import KINDS, Agreement

__all__ = ["agreement_csv", "agreement_table"]


def agreement_table(found: Sequence[Agreement]) -> str:
    """Shares of pairs with 95% intervals, and an explanation."""
    cells = {(one.metric, one.kind): one for one in found}
    kinds = [kind.name for kind in KINDS if any(one.kind == kind.name for one in found)]
    metrics = list(dict.fromkeys(one.metric for one in found))
    rows = [[metric, *(_cell(cells.get((metric, kind))) for kind in kinds)] for metric in metrics]
    counts = {one.kind: one.pairs for one in found}
    header = ["metric", *(f"{kind} ({counts[kind]} pairs)" for kind in kinds)]
    return (
        aligned(header, rows)
        + "\nShare of the pairs of models on one song that the metric orders as listeners do; a coin "
        "has 0.50. 95% interval over songs and listeners."
    )


def agreement_csv(found: Sequence[Agreement]) -> str:
    """The same as CSV: metric, kind, pairs, share, low, high."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Agreement.__slots__)
    writer.writerows([getattr(one, name) for name in Agreement.__slots__] for one in found)
    return text.getvalue().rstrip("\n")


def _cell(one: Agreement | None) -> str:
    return "-" if one is None else f"{one.share:.3f} [{one.low:.2f}, {one.high:.2f}]"
