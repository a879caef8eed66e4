"""Numbers that were not measured here: marked, with their source, and never ranked."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pytest
from simulate import Plan, simulate

from benchbench.reporting import report
from benchbench.reporting.data.leaderboards import Leaderboard, Leaderboards, Row
from benchbench.reporting.data.published import PublishedResult, published_results
from benchbench.reporting.data.score_arrays import Series
from benchbench.reporting.sections.citations import citations
from benchbench.results.interchange import Source
from benchbench.results.interchange.import_store import store_import

USUAL = "median of frame medians"


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("musdb18")
    protocols = ("usdr", "bsseval-v4")
    simulate(root, Plan(3, 6, protocols, "four", frames=4, failures=0.0, dataset="musdb18"))
    rows = pd.DataFrame(
        {
            "model": "OLD",
            "dataset": "musdb18",
            "track": [f"track {place}" for place in range(6)],
            "target": "vocals",
            "reference_set": "vocals+drums+bass+other",
            "protocol": "bsseval-v4",
            "metric": "SDR",
            "metric_version": 1,
            "value": [5.0, 6.0, 4.0, 5.5, 6.5, 4.5],
        }
    )
    source = Source("campaign", "CC-BY-4.0", "Somebody (2018)", "https://example.org/scores")
    table = pa.Table.from_pandas(rows, preserve_index=False)
    store_import(root, [table], source, kind="table", files=[], digest="x")
    text = report([root], root / "report.html").read_text(encoding="utf-8")
    return re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)


def test_published_figures_stand_below_the_measured_without_rank(body: str) -> None:
    rows = re.search(r"<tbody[^>]*data-board-published>(.*?)</tbody>", body, re.DOTALL)
    assert rows
    assert ">TAK2<" in rows.group(1)
    assert "published, source 1" in rows.group(1)
    assert set(re.findall(r'<td class="num rank">(.*?)</td>', rows.group(1))) == {"–"}
    assert re.search(r'<li id="source-1">\s*Stöter', body)
    measured = re.search(r"<tbody[^>]*data-board-rows>(.*?)</tbody>", body, re.DOTALL)
    assert measured
    assert "TAK2" not in measured.group(1)


def test_imported_scores_tell_source_protocol_and_licence(body: str) -> None:
    assert 'class="badge badge-imported"' in body
    told = re.search(r"<li>[^\n]*campaign:OLD[^\n]*</li>", body)
    assert told
    for words in ("Somebody (2018)", "bsseval-v4 version 1", "CC-BY-4.0", "https://example.org"):
        assert words in told.group(0)


def test_an_import_does_not_take_the_place_of_the_run(body: str) -> None:
    assert " on None" not in body


def boards_of(dataset: str, metric: str, aggregation: str, references: str) -> Leaderboards:
    series = Series(dataset, references, "vocals", "bsseval-v4", metric, 1)
    board = Leaderboard(series, aggregation, (Row("a", 1.0, None, None, 5, 5, 0.0, 0.0),))
    return Leaderboards({series: {aggregation: board}}, board)


FOUR = "vocals+drums+bass+other"
TWO = "vocals+accompaniment"


@pytest.mark.parametrize(
    ("dataset", "metric", "aggregation", "references", "some"),
    [
        ("musdb18", "SDR", USUAL, FOUR, True),
        ("musdb18", "SDR", USUAL, TWO, True),
        ("musdb18", "SIR", USUAL, TWO, True),
        ("musdb18", "SIR", USUAL, FOUR, False),
        ("musdb18", "SDR", "mean of frame medians", FOUR, False),
        ("musdb18-7s", "SDR", USUAL, FOUR, False),
    ],
)
def test_only_figures_of_the_same_protocol_are_shown(
    dataset: str, metric: str, aggregation: str, references: str, *, some: bool
) -> None:
    made = boards_of(dataset, metric, aggregation, references)
    assert bool(citations(made).beside(made.headline)) is some


def test_the_best_published_figure_comes_first() -> None:
    made = boards_of("musdb18", "SDR", USUAL, FOUR)
    values = [one.value for one in citations(made).beside(made.headline)]
    assert values == sorted(values, reverse=True)
    assert len(values) == sum(
        (one.dataset, one.metric, one.aggregation) == ("musdb18", "SDR", USUAL)
        and "vocals" in one.values
        for one in published_results()
    )


def test_other_figures_can_be_given() -> None:
    made = boards_of("own", "SDR", USUAL, FOUR)
    one = PublishedResult("x", "own", "bsseval-v4", USUAL, "SDR", {"vocals": 3.0}, "A paper")
    found = citations(made, [one])
    assert found.sources == (("A paper", ""),)
    assert found.beside(made.headline)[0].value == 3.0
