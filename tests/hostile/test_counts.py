"""The page counts the cases as pytest collects them."""

from __future__ import annotations

from tests.hostile.counts import PAGE, collected, with_counts


def test_the_page_counts_every_case_once() -> None:
    text, cases = PAGE.read_text(encoding="utf-8"), collected()
    assert text == with_counts(text, cases), "run: python -m tests.hostile.counts"
    assert cases.total() >= 120
