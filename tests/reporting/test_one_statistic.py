"""Every difference on a page is one of the numbers that the page shows."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from benchbench.reporting.data.loading import read
from benchbench.reporting.page import Page, assemble
from benchbench.results.interchange.tidy_export import tidy_csv, usual_aggregation
from benchbench.results.store import Results


@pytest.fixture(scope="module")
def shown(results: Path) -> Page:
    return assemble(read([results]))


def test_differences_are_those_of_the_leaderboard(shown: Page) -> None:
    checked = 0
    for difference in shown.differences:
        values = {row.model: row.value for row in difference.board.rows}
        for pair in difference.tests.pairs.values():
            first, second = values[pair.first], values[pair.second]
            assert first is not None
            assert second is not None
            assert pair.difference == pytest.approx(first - second, abs=1e-12)
            if pair.low is not None and pair.high is not None:
                assert pair.low <= pair.difference + 1e-9
                assert pair.difference - 1e-9 <= pair.high
            checked += 1
    assert checked > 20


def test_sentences_hold_differences_of_shown_numbers(shown: Page) -> None:
    text = " ".join(part.text for sentence in shown.summary.support for part in sentence)
    value = {row.model: row.value or 0.0 for row in shown.board.rows}
    ranked = [row.model for row in shown.board.rows if shown.report_models[row.model].ranked]
    gap = value[ranked[0]] - value[ranked[1]]
    assert f"{gap:.1f} dB ahead of" in text if gap >= 1 else f"{gap:.2f} dB ahead of" in text


def test_a_value_that_falls_has_a_negative_change(shown: Page) -> None:
    assert shown.history
    for line in shown.history:
        for before, event in zip(line.events, line.events[1:], strict=False):
            assert event.change == pytest.approx(event.value - before.value, abs=1e-12)
            assert not event.step or event.change != 0


def test_rank_bars_never_join_what_the_tests_tell_apart(shown: Page) -> None:
    joined = 0
    for difference in shown.differences:
        names = [str(name) for name in difference.tests.ranks.ranks.index]  # type: ignore[union-attr]
        for group in difference.tests.level_groups(names):
            for place, first in enumerate(group):
                for second in group[place + 1 :]:
                    pair = difference.tests.pair(first, second)
                    assert pair is not None
                    assert not pair.distinguishable
                    joined += 1
    assert joined


def test_the_exported_leaderboard_is_that_of_the_page(results: Path, shown: Page) -> None:
    keys = ["dataset", "reference_set", "target", "protocol", "metric", "aggregation", "model"]
    exported = pd.read_csv(io.StringIO(tidy_csv(Results(results), "models")), dtype={"model": str})
    by_key = exported.set_index(keys)
    checked = 0
    for series, ways in shown.leaderboards.by_series.items():
        board = ways[usual_aggregation(series.protocol)]
        for row in board.rows:
            if row.value is None:
                continue
            key = (
                series.dataset, series.references, series.target, series.protocol,
                series.metric, board.aggregation, row.model,
            )  # fmt: skip
            line = by_key.loc[key]
            for column, name in (("value", "value"), ("lo", "low"), ("hi", "high")):
                assert line[column] == pytest.approx(getattr(row, name), abs=6e-6), (key, name)
            checked += 1
    assert checked > 50
