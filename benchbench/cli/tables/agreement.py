"""The table of `bench agreement`: the agreement of each metric, by kind of pair."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from benchbench.cli.terminal import width, wrapped
from benchbench.io.text_table import aligned
from benchbench.stats.agreement import KINDS, Agreement
from benchbench.stats.wording import count

__all__ = ["agreement_csv", "agreement_table"]

NOTE = (
    "Share of the pairs of models on one song that the metric orders as the listeners do; a coin "
    "has 0.50. 95% interval over songs and listeners."
)


def agreement_table(found: Sequence[Agreement], columns: int | None = None) -> str:
    """Shares of pairs with 95% intervals, and an explanation.

    Parameters
    ----------
    found
        The agreements.
    columns
        Characters per line, by default the width of the terminal. A table with one column for each
        kind of pair that is wider becomes one block for each kind.
    """
    room = columns or width()
    cells = {(each.metric, each.kind): each for each in found}
    pairs: dict[str, int] = {}
    for each in found:
        pairs[each.kind] = max(pairs.get(each.kind, 0), each.pairs)
    titles = {
        kind.name: f"{kind.name} ({count(pairs[kind.name], 'pair')})"
        for kind in KINDS
        if kind.name in pairs
    }
    metrics = list(dict.fromkeys(each.metric for each in found))
    columns_by_kind = [
        [_cell(cells.get((metric, kind)), pairs[kind]) for metric in metrics] for kind in titles
    ]
    rows = [list(row) for row in zip(metrics, *columns_by_kind, strict=True)]
    table = aligned(["metric", *titles.values()], rows)
    if max(map(len, table.splitlines())) > room:
        rows = []
        for title, column in zip(titles.values(), columns_by_kind, strict=True):
            rows += [[title, ""], *([f"  {m}", c] for m, c in zip(metrics, column, strict=True))]
        table = aligned(["metric", "share"], rows)
    return f"{table}\n{wrapped([NOTE], room)}"


def agreement_csv(found: Sequence[Agreement]) -> str:
    """The same as CSV: metric, kind, pairs, share, low, high."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Agreement.__slots__)
    writer.writerows([getattr(each, name) for name in Agreement.__slots__] for each in found)
    return text.getvalue().rstrip("\n")


def _cell(found: Agreement | None, pairs: int) -> str:
    if found is None:
        return "-"
    fewer = f" of {count(found.pairs, 'pair')}" if found.pairs < pairs else ""
    return f"{found.share:.3f} [{found.low:.2f}, {found.high:.2f}]{fewer}"
