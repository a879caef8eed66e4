"""Which metric orders the separators as the listeners of a test do: a table for each test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchbench.reporting.data.listening_tests import ListeningTest
from benchbench.reporting.formatting import listed
from benchbench.stats.agreement import KINDS, Agreement
from benchbench.stats.wording import count

__all__ = ["AgreementTable", "agreement_tables"]

CHANCE = 0.5
"""Share of pairs that a coin orders as the listeners do."""


@dataclass(frozen=True, slots=True)
class AgreementTable:
    """The agreement of all metrics with the listeners of one test.

    Parameters
    ----------
    test
        The test.
    kinds
        The kinds of pairs that occur, each with the largest number of pairs of any metric.
    rows
        Metric and its agreement for each of the kinds, best over all pairs first.
    headline
        The metric of the page's headline, if it is among the rows.
    """

    test: ListeningTest
    kinds: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, tuple[Agreement | None, ...]], ...]
    headline: str | None

    @property
    def title(self) -> str:
        """The size of the test."""
        models, songs, listeners = self.test.ratings.values.shape
        return (
            f"{count(listeners, 'listener')} rated {self.test.target} of "
            f"{count(models, 'separator')} on {count(songs, 'song')} of {self.test.dataset}."
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """Sentences: the best metric, and metrics that order pairs against the listeners."""
        if not self.rows:
            return ()
        metric, (best, *_) = self.rows[0]
        sentences = [f"{metric} orders most pairs as they do: {_share(best)}."] if best else []
        for place, (kind, _) in enumerate(self.kinds):
            cells = [(name, cells[place]) for name, cells in self.rows]
            against = [name for name, cell in cells if cell and cell.high < CHANCE]
            if against:
                noun = "Pairs" if kind == "all" else f"Pairs of kind “{kind}”"
                verb = "orders" if len(against) == 1 else "order"
                sentences.append(
                    f"{noun}: {listed(against)} {verb} them against the listeners, "
                    f"with the whole interval below {CHANCE}."
                )
        return tuple(sentences)


def agreement_tables(tests: Sequence[ListeningTest], headline: str) -> tuple[AgreementTable, ...]:
    """A table for each test that rates several models.

    Parameters
    ----------
    tests
        The tests of the results.
    headline
        ``protocol metric`` of the page's headline.
    """
    return tuple(_table(test, headline) for test in tests if len(test.ratings.models) > 1)


def _table(test: ListeningTest, headline: str) -> AgreementTable:
    cells: Mapping[tuple[str, str], Agreement] = {
        (each.metric, each.kind): each for each in test.agreements
    }
    pairs: dict[str, int] = {}
    for each in test.agreements:
        pairs[each.kind] = max(pairs.get(each.kind, 0), each.pairs)
    kinds = tuple((kind.name, pairs[kind.name]) for kind in KINDS if kind.name in pairs)
    metrics = list(dict.fromkeys(each.metric for each in test.agreements))
    rows = tuple(
        (metric, tuple(cells.get((metric, kind)) for kind, _ in kinds)) for metric in metrics
    )
    return AgreementTable(test, kinds, rows, headline if headline in metrics else None)


def _share(found: Agreement) -> str:
    return f"{found.share:.0%} ({found.low:.0%} to {found.high:.0%})"
