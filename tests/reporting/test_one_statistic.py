"""Every difference on a page is one of the numbers that the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.reporting.data.loading import read
from benchbench.reporting.page import Page, assemble


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
