"""A comparison as text for a terminal: the verdict, then a block per metric, a line per target."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

import pandas as pd

from benchbench.comparison.compare import Comparison
from benchbench.comparison.order import by_metric, is_headline, without_repeats
from benchbench.comparison.sentences import aggregation_sentence, cost_lines, verdict_sentences
from benchbench.comparison.text import MARKS, metric_label, summary
from benchbench.errors import BenchbenchError
from benchbench.io.terminal import printable
from benchbench.metrics import metric as metric_named
from benchbench.stats.wording import count

__all__ = ["comparison_text"]

_HEADER: Final = ("", "a", "b", "b - a", "95% interval", "p", "wins", "verdict")
_TARGET: Final = 14
_ALONE: Final = ("only_in_a", "only_in_b")


def comparison_text(
    comparison: Comparison, *, limit: int | None = None, everything: bool = False, columns: int = 80
) -> str:
    """The comparison for a terminal.

    Parameters
    ----------
    comparison
        What was compared.
    limit
        The maximum number of rows.
    everything
        All metrics and frequency bands, not only the headline metrics.
    columns
        Maximum line length in characters; only a long name may exceed it.
    """
    rows = without_repeats(by_metric(comparison.rows))
    alone = rows["cause"].isin(_ALONE)
    headline = is_headline(rows) & ~alone
    shown = rows[~alone] if everything or not headline.any() else rows[headline]
    cut = len(shown) - limit if limit is not None and len(shown) > limit else 0
    hidden = rows[~alone & ~rows.index.isin(shown.index)]
    notes = [
        f"{count(cut, 'row')} hidden; use --format json to see all." if cut else "",
        f"Not shown: {_counted(hidden)} of other metrics and bands. --all shows them."
        if len(hidden)
        else "",
        *_one_sided(rows[alone]),
        aggregation_sentence(comparison),
        *cost_lines(comparison),
        *comparison.notes,
    ]
    parts = [
        [f"a: {comparison.a}", f"b: {comparison.b}"],
        _paragraphs(verdict_sentences(comparison), columns),
        list(_blocks(shown if limit is None else shown.head(limit), columns)),
        _paragraphs([summary(comparison)], columns),
        _paragraphs(filter(None, notes), columns),
    ]
    return printable("\n\n".join("\n".join(part) for part in parts if part)) + "\n"


def _counted(rows: pd.DataFrame) -> str:
    """``66 rows (53 better, 13 inconclusive)``."""
    fell = rows["verdict"].value_counts()
    words = ", ".join(f"{number} {str(name).replace('_', ' ')}" for name, number in fell.items())
    return f"{count(len(rows), 'row')} ({words})"


def _one_sided(rows: pd.DataFrame) -> Iterator[str]:
    """A sentence for each model that lacks targets of its partner."""
    for (cause, note), part in rows.groupby(["cause", "note"], sort=False, observed=True):
        targets = ", ".join(dict.fromkeys(map(str, part["target"])))
        side = str(cause).removeprefix("only_in_")
        yield f"Only in {side}: {count(len(part), 'row')} of {targets} ({note})."


def _blocks(rows: pd.DataFrame, columns: int) -> Iterator[str]:
    """A heading per pair of models and metric, and a line per target."""
    several = len(rows[["model_a", "model_b"]].drop_duplicates()) > 1
    if len(rows):
        yield _line(_HEADER, columns)
    last = ""
    for _, row in rows.iterrows():
        heading = _heading(row, several)
        if heading != last:
            yield from _paragraphs([heading], columns)
            last = heading
        yield _line(_cells(row), columns)
        if row["note"]:
            yield from textwrap.wrap(
                str(row["note"]), columns, initial_indent="    ", subsequent_indent="    "
            )


def _heading(row: pd.Series, several: bool) -> str:
    same = row["model_a"] == row["model_b"]
    model = str(row["model_a"]) if same else f"{row['model_a']} -> {row['model_b']}"
    unit = _unit(str(row["protocol"]), str(row["metric"]))
    metric = metric_label(row) + (f", {unit}" if unit else "")
    return f"{model}, {metric}" if several else metric


def _unit(protocol: str, metric: str) -> str:
    try:
        facts = metric_named(protocol, metric)
    except BenchbenchError:
        return ""
    unit = "dB" if facts.unit == "dB" else ""
    return unit if facts.direction == "higher" else f"{unit} lower is better".strip()


def _cells(row: pd.Series) -> tuple[str, ...]:
    word = f"{MARKS[row['verdict']]} {row['verdict'].replace('_', ' ')}"
    if row["cause"] or not row["n"]:
        return (str(row["target"]), *[""] * 6, word)
    interval = f"{row['lo']:.2f} to {row['hi']:.2f}" if row["n"] > 1 else ""
    return (
        str(row["target"]),
        f"{row['value_a']:.2f}",
        f"{row['value_b']:.2f}",
        f"{row['difference']:+.2f}",
        interval,
        f"{row['p_family']:.3f}",
        f"{row['win_rate']:.0%}",
        word,
    )


def _line(cells: tuple[str, ...], columns: int) -> str:
    """One line; the share of wins is left out where the terminal is narrow."""
    target, a, b, difference, interval, p, wins, word = cells
    parts = [f"  {target:<{_TARGET}}", f"{a:>6}", f"{b:>6}", f"{difference:>6}", f"{interval:>14}",
             f"{p:>5}"]  # fmt: skip
    if columns >= 88:
        parts.append(f"{wins:>5}")
    return "  ".join([*parts, word]).rstrip()


def _paragraphs(sentences: Iterable[str], columns: int) -> list[str]:
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, columns, break_long_words=False, break_on_hyphens=False)
    ]
