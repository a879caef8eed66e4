"""What a page says beside its numbers: reasons, marks, targets, order, units."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from simulate import Plan, simulate

from benchbench.reporting import report
from benchbench.reporting.data.gaps import gap_notes, gaps_of
from benchbench.reporting.data.loading import read
from benchbench.reporting.data.published import published_results
from benchbench.reporting.figures.curves import Curve, curves
from benchbench.reporting.page import Page, assemble
from benchbench.reporting.sections.citations import citations
from benchbench.results.schema import SCORES
from benchbench.results.store import Results


@pytest.fixture(scope="module")
def shown(results: Path) -> Page:
    return assemble(read([results]))


def test_a_missing_number_has_its_reason_on_the_board(tmp_path: Path) -> None:
    simulate(tmp_path, Plan(models=3, tracks=4, frames=3, stems="two", failures=0.0))
    stored = Results(tmp_path)
    model = stored.models()[0]
    rows = [row for row in stored.scores().to_pylist() if row["model"] == model]
    for row in rows:
        if row["protocol"] == "bsseval-v4":
            row |= {"value": None, "reason": "silent_source_in_frame"}
    for path in stored.scores_path("x", model, "simulated").parent.glob("*.parquet"):
        path.unlink()
    stored.write_scores("cell", model, "simulated", pa.Table.from_pylist(rows, SCORES))
    loaded = read([tmp_path])
    page = assemble(loaded)
    series = next(s for s in page.leaderboards.by_series if s.protocol == "bsseval-v4")
    note = gap_notes(loaded.gaps, series)[model]
    assert note.startswith("silent_source_in_frame on 4 of 4 tracks (museval leaves out a frame")
    text = report([tmp_path], tmp_path / "page.html").read_text("utf-8")
    block = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert any(note in notes.values() for notes in block["gaps"].values())


def test_gaps_of_scores_without_any(results: Path) -> None:
    frame = Results(results).scores_frame()
    assert gaps_of(frame[frame["value"].notna()]).empty


def test_the_mean_over_targets_is_that_of_the_row(shown: Page) -> None:
    assert shown.target_tables
    for table in shown.target_tables:
        for _, values, mean in table.rows:
            if None in values:
                assert mean is None
            else:
                assert mean == pytest.approx(sum(values) / len(values))  # type: ignore[arg-type]
    means = [mean for _, _, mean in shown.target_tables[0].rows if mean is not None]
    assert means == sorted(means, reverse=True)


def test_several_data_sets_stand_side_by_side(results: Path, tmp_path: Path) -> None:
    simulate(tmp_path, Plan(models=5, tracks=3, frames=3, stems="four"))
    stored = Results(tmp_path)
    rows = [row | {"dataset": "another"} for row in stored.scores().to_pylist()]
    shutil.rmtree(tmp_path / "scores")
    for model in {row["model"] for row in rows}:
        own = [row for row in rows if row["model"] == model]
        stored.write_scores("cell", model, "another", pa.Table.from_pylist(own, SCORES))
    page = assemble(read([results, tmp_path]), dataset="another")
    assert page.board.series.dataset == "another"
    assert page.dataset_table is not None
    assert page.dataset_table.columns == ("another", "simulated")


def test_models_of_the_run_are_marked_among_all(results: Path) -> None:
    loaded = read([results])
    names = loaded.tracks.present("model")
    page = assemble(loaded, marked=names[:1])
    marked = {
        name
        for name, model in page.report_models.items()
        if any(badge.key == "fresh" for badge in model.badges)
    }
    assert marked == {names[0]}
    every = assemble(loaded, marked=names)
    assert not any(badge.key == "fresh" for m in every.report_models.values() for badge in m.badges)


def test_the_warning_about_silence_stands_with_plain_sdr_alone(page: str) -> None:
    assert "data-plain-sdr hidden" in page  # the headline is bsseval-v4


def test_terms_of_the_first_screen_lead_to_the_glossary(page: str) -> None:
    summary = page[page.index('id="summary"') : page.index("</section>")]
    links = re.findall(r'href="#(term-[^"]+)"', summary)
    assert {"term-protocol", "term-aggregation", "term-oracle", "term-interval"} <= set(links)
    assert all(f'id="{link}"' in page for link in links)


def test_listening_comes_right_after_the_leaderboard(page: str) -> None:
    sections = re.findall(r'<section id="([a-z]+)"', page)
    assert sections[:4] == ["summary", "leaderboard", "listening", "targets"]


def test_speed_is_times_real_time(page: str) -> None:
    board = page[page.index('id="board"') : page.index("</table>")]
    assert "Speed" in board
    assert re.search(r'<td class="num cost">[>0-9.]+x</td>', board)
    assert "×" not in board


def test_the_mixture_in_print_is_a_baseline(shown: Page) -> None:
    mixtures = [result for result in published_results() if result.model == "MIX"]
    assert mixtures
    assert all(result.baseline and not result.oracle for result in mixtures)
    assert citations(shown.leaderboards) is not None


def test_a_curve_leaves_its_chart_instead_of_lying_on_the_edge() -> None:
    points = tuple((f, v, v - 1, v + 1) for f, v in ((125, -40.0), (250, 5.0), (500, 60.0)))
    oracle = Curve("oracle", 1, tuple((f, 12.0, None, None) for f in (125, 500)), False, "oracle")
    drawn = str(curves([Curve("m", 0, points, True), oracle], [], "vocals", "d", "i"))
    assert drawn.count('class="dot"') == 1  # at 250 Hz: the others lie beyond the scale
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", drawn)]
    assert min(heights) < 0 or max(heights) > 280  # the line goes on beyond the drawing
    assert ">oracle</text>" in drawn
