"""The numbers of the page against the statistics that they come from, and the words against the numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchbench.reporting import formatting as wording
from benchbench.reporting.data import loading as readings
from benchbench.reporting.data.frames import Moments, TrackInTime
from benchbench.reporting.data.leaderboards import Leaderboard, Row, leaderboards
from benchbench.reporting.data.models import Cost, ReportModel
from benchbench.reporting.data.pairwise import Pair, PairwiseTests, pairwise_tests
from benchbench.reporting.data.score_arrays import Series, score_arrays
from benchbench.reporting.data.track_rows import TrackRows
from benchbench.reporting.figures.axes import linear, logarithmic
from benchbench.reporting.figures.scatter import Point, front
from benchbench.reporting.sections.history import histories
from benchbench.reporting.sections.metric_choice import advice, metric_choices
from benchbench.reporting.sections.summary import Part, _level, summary, tied
from benchbench.reporting.templates import bundle
from benchbench.results.store import Results
from benchbench.stats import leaderboard


@pytest.fixture(scope="module")
def loaded(results: Path) -> readings.LoadedResults:
    return readings.read([results])


def report_model(name: str, index: int, **given: object) -> ReportModel:
    plain: dict[str, object] = {
        "slug": name,
        "adapter": name,
        "variant": "",
        "summary": "",
        "oracle": False,
        "baseline": False,
        "published": False,
        "trained_on": (),
        "stems": "",
        "cost": Cost(),
        "failed": 0,
        "attempted": 1,
        "badges": (),
    }
    return ReportModel(index=index, name=name, **{**plain, **given})  # type: ignore[arg-type]


def test_boards_hold_the_numbers_of_the_statistics(
    results: Path, loaded: readings.LoadedResults
) -> None:
    scores = Results(results).scores_frame()
    made = leaderboards(score_arrays(loaded.tracks))
    checked = 0
    for name in ("median of frame medians", "mean of frame means", "mean over tracks"):
        table = leaderboard(scores[scores["band_lo_hz"].isna()], name)
        expected = {
            (row["model"], row["target"], row["protocol"], row["metric"]): row
            for row in table.to_dict("records")
        }
        for series, ways in made.by_series.items():
            for row in ways[name].rows if name in ways else ():
                want = expected[row.model, series.target, series.protocol, series.metric]
                assert row.value == pytest.approx(want["value"], abs=1e-9)
                assert row.low == pytest.approx(want["lo"], abs=1e-9)
                assert row.high == pytest.approx(want["hi"], abs=1e-9)
                assert row.tracks == want["tracks"]
                assert row.expected == want["expected"]
                assert row.missing == pytest.approx(want["missing_rate"], abs=1e-9)
                checked += 1
    assert checked > 100


def test_reading_two_folders_as_one(results: Path, loaded: readings.LoadedResults) -> None:
    twice = readings.read([results, results])
    assert len(twice.runs) == 2 * len(loaded.runs)
    assert twice.tracks.present("model") == loaded.tracks.present("model")


def grid_of(values: dict[str, list[float]]) -> tuple[Leaderboard, object]:
    table = pd.DataFrame(
        [
            {
                "model": model,
                "dataset": "d",
                "track": f"t{place}",
                "target": "vocals",
                "reference_set": "vocals+accompaniment",
                "protocol": "usdr",
                "metric": "SDR",
                "metric_version": 1,
                "band_lo_hz": np.nan,
                "value": value,
                "mean": value,
                "frames": 1,
                "missing": 0,
                "ill_conditioned": 0.0,
            }
            for model, row in values.items()
            for place, value in enumerate(row)
        ]
    )
    text = table.select_dtypes(["object", "string"]).columns
    data = score_arrays(TrackRows((table.astype(dict.fromkeys(text, "category")),)))
    board = leaderboards(data).headline
    return board, data.grids[board.series]


HARD = [1.0, 4.0, 2.0, 8.0, 5.0, 3.0, 6.0, 7.0, 9.0, 2.5]


def test_verdict_says_that_a_lead_is_real() -> None:
    board, grid = grid_of({"a": [x + 1 + 0.01 * x for x in HARD], "b": HARD})
    people = {"a": report_model("a", 0), "b": report_model("b", 1)}
    said = summary(board, pairwise_tests(grid, board, ["a", "b"]), people)  # type: ignore[arg-type]
    assert said.leader == "a"
    assert said.tied == ()
    assert "the lead is statistically significant" in text_of(said.answer)
    assert "100%" in text_of(said.support[0])


def test_verdict_claims_no_proof_from_few_tracks() -> None:
    board, grid = grid_of({"a": [x + 2 + 0.01 * x for x in HARD[:3]], "b": HARD[:3]})
    people = {"a": report_model("a", 0), "b": report_model("b", 1)}
    said = summary(board, pairwise_tests(grid, board, ["a", "b"]), people)  # type: ignore[arg-type]
    assert said.tied == ()
    assert "statistically significant" not in text_of(said.answer)
    assert "on too few tracks to prove it" in text_of(said.answer)


def test_verdict_does_not_call_a_lead_significant_whose_interval_includes_zero() -> None:
    """Most tracks are a little better, two much worse: the test of signed ranks and the interval differ."""
    base = [x + 0.1 * place for place, x in enumerate(HARD * 2)]
    won = [x + 0.5 + 0.001 * place for place, x in enumerate(base)]
    won[3], won[11] = base[3] - 4.0, base[11] - 4.1
    board, grid = grid_of({"a": won, "b": base})
    tests = pairwise_tests(grid, board, ["a", "b"])
    pair = tests.pair("a", "b")
    assert pair is not None
    assert pair.distinguishable
    assert pair.low is not None
    assert pair.low < 0
    people = {"a": report_model("a", 0), "b": report_model("b", 1)}
    said = summary(board, tests, people)  # type: ignore[arg-type]
    assert said.leader == "a"
    assert "best, though the 95% interval of its lead includes zero." in text_of(said.answer)
    assert "significant" not in text_of(said.answer)


def test_verdict_says_that_two_cannot_be_told_apart() -> None:
    noise = [0.1, -0.2, 0.15, -0.05, 0.2, -0.1, 0.05, -0.15, 0.12, -0.1]
    board, grid = grid_of({"a": [x + n for x, n in zip(HARD, noise, strict=True)], "b": HARD})
    people = {"a": report_model("a", 0), "b": report_model("b", 1)}
    said = summary(board, pairwise_tests(grid, board, ["a", "b"]), people)  # type: ignore[arg-type]
    assert "No separator is clearly best" in text_of(said.answer)
    assert "not distinguishable" in text_of(said.support[0])


def test_bounds_and_baselines_are_no_rivals() -> None:
    board, grid = grid_of({"oracle": [x + 5 for x in HARD], "mixture": HARD})
    people = {
        "oracle": report_model("oracle", 0, oracle=True),
        "mixture": report_model("mixture", 1, baseline=True),
    }
    said = summary(board, pairwise_tests(grid, board, []), people)  # type: ignore[arg-type]
    assert said.leader is None
    assert "no separator to rank" in text_of(said.answer)


def test_an_oracle_does_not_cost_a_rival_its_proof() -> None:
    values = {"a": [x + 1 + 0.01 * x for x in HARD], "b": HARD}
    bounds = {f"oracle{k}": [x + 5 + k + 0.02 * x for x in HARD] for k in range(6)}
    board, grid = grid_of({**values, **bounds})
    alone = pairwise_tests(grid, board, ["a", "b"]).pair("a", "b")  # type: ignore[arg-type]
    assert alone is not None
    assert alone.distinguishable
    turned = pairwise_tests(grid, board, ["a", "b"]).pair("b", "a")  # type: ignore[arg-type]
    assert turned is not None
    assert turned.difference == pytest.approx(-alone.difference)
    assert turned.low == pytest.approx(-alone.high)  # type: ignore[operator]


def text_of(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in parts)


def test_history_tells_a_step_and_what_had_changed(loaded: readings.LoadedResults) -> None:
    board = leaderboards(score_arrays(loaded.tracks)).headline
    people = {row.model: report_model(row.model, place) for place, row in enumerate(board.rows)}
    lines = histories(loaded.history, loaded.separations, loaded.runs, board, people)
    assert lines
    last = lines[0].events[-1]
    assert last.change == pytest.approx(0.25, abs=0.2)
    assert "weights" in last.changed


def moments_of(values: list[list[float]]) -> Moments:
    array = np.array(values)
    starts = np.arange(array.shape[1], dtype=np.float64)
    names = tuple("abc"[: len(values)])
    return Moments("windows", "vocals", {"t": TrackInTime("t", starts, 1.0, names, array)})


def test_worst_places_are_not_neighbours() -> None:
    row = [10.0] * 40
    row[5], row[6], row[30] = -9.0, -8.0, -7.0
    places = moments_of([row]).worst("a", 2)
    assert [place.start_s for place in places] == [5.0, 30.0]


def test_widest_stretch_is_where_models_differ() -> None:
    first, second = [5.0] * 40, [5.0] * 40
    second[20:30] = [-5.0] * 10
    place = moments_of([first, second]).widest(["a", "b"], 1)[0]
    assert 20 <= place.start_s <= 21
    assert place.value == pytest.approx(10.0)


def test_frames_without_values_are_no_place() -> None:
    nothing = [float("nan")] * 40
    assert moments_of([nothing, nothing]).widest(["a", "b"], 3) == ()
    assert moments_of([nothing]).worst("a") == ()


def test_front_holds_what_nothing_beats() -> None:
    points = [
        Point("cheap", 0, 0.1, 3.0, None, None),
        Point("beaten", 1, 0.2, 2.0, None, None),
        Point("best", 2, 0.5, 7.0, None, None),
    ]
    assert [point.name for point in front(points)] == ["cheap", "best"]


@pytest.mark.parametrize("values", [[1.0, 9.7], [-6.4, 8.7], [3.0], [], [0.001, 0.0012]])
def test_linear_axes_hold_their_values(values: list[float]) -> None:
    axis = linear(values, 0, 100)
    assert all(0 <= axis.place(value) <= 100 for value in values)
    assert 2 <= len(axis.ticks) <= 8


def test_logarithmic_axes_space_ratios_equally() -> None:
    axis = logarithmic([0.01, 1.0], 0, 100)
    steps = [axis.place(value) for value in (0.01, 0.1, 1.0)]
    assert steps[1] - steps[0] == pytest.approx(steps[2] - steps[1])


def test_wording() -> None:
    assert wording.decibels(-0.001) == "0.00"
    assert wording.decibels(-3.456) == "−3.46"
    assert wording.decibels(None) == "–"
    assert wording.signed(1.0) == "+1.00"
    assert wording.signed(0.0) == "0.00"
    assert wording.percent(0.00001) == "<0.1%"
    assert wording.pace(0.00001) == ">1000x"
    assert wording.pace(0.072) == "14x"
    assert wording.pace(None) == "–"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.probability(0.0001) == "< 0.001"


def test_modules_are_joined_once_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nimport { c } from "./c.js";\nb(c);\n'
    )
    (tmp_path / "b.js").write_text(
        'import { c } from "./c.js";\nexport function b(x) { return c; }\n'
    )
    (tmp_path / "c.js").write_text("export const c = 1;\n")
    joined = bundle(tmp_path, "a.js")
    assert joined == "const c = 1;\nfunction b(x) { return c; }\nb(c);\n"


def test_no_two_modules_declare_the_same_name() -> None:
    import re

    folder = Path(__file__).parents[2] / "reports" / "static"
    text = bundle(folder, "report.js")
    names = re.findall(r"^(?:async function|function|const|let|class) (\w+)", text, re.MULTILINE)
    assert len(names) == len(set(names))


def test_advice_names_a_yardstick_that_disagrees() -> None:
    def board(protocol: str, order: str) -> Leaderboard:
        series = Series("d", "vocals+accompaniment", "vocals", protocol, "SDR", 1)
        rows = tuple(
            Row(name, 9.0 - place, None, None, 5, 5, 0.0, 0.0) for place, name in enumerate(order)
        )
        return Leaderboard(series, "mean over tracks", rows)

    from benchbench.reporting.data.leaderboards import Leaderboards

    made = [board("usdr", "abc"), board("bsseval-v3", "bac")]
    both = Leaderboards({one.series: {one.aggregation: one} for one in made}, made[0])
    people = {name: report_model(name, place) for place, name in enumerate("abc")}
    sticks = metric_choices(both, people)
    assert sticks[1].agreement == pytest.approx(1 / 3)
    assert "another separator is best by bsseval-v3 SDR" in advice(sticks)


@pytest.mark.parametrize(("low", "high", "level"), [(-0.2, 0.3, True), (1.6, 4.2, False)])
def test_as_good_needs_an_interval_that_holds_zero(low: float, high: float, level: bool) -> None:
    pair = Pair("a", "b", 9, (low + high) / 2, low, high, 0.3, 1.0, 1.0, 5.0)
    assert not pair.distinguishable
    assert _level(pair) is level
    series = Series("d", "vocals+accompaniment", "vocals", "usdr", "SDR", 1)
    rows = tuple(
        Row(name, 9.0 - place, None, None, 9, 9, 0.0, 0.0) for place, name in enumerate("ab")
    )
    board = Leaderboard(series, "mean over tracks", rows)
    people = {name: report_model(name, place) for place, name in enumerate("ab")}
    asked = PairwiseTests(series, ("a", "b"), {("a", "b"): pair}, None, None)
    assert tied(board, asked, people) == (("b",) if level else ())


def test_the_order_of_two_separators_is_compared_too() -> None:
    def board(protocol: str, order: str) -> Leaderboard:
        series = Series("d", "vocals+accompaniment", "vocals", protocol, "SDR", 1)
        rows = tuple(
            Row(name, 9.0 - place, None, None, 5, 5, 0.0, 0.0) for place, name in enumerate(order)
        )
        return Leaderboard(series, "mean over tracks", rows)

    from benchbench.reporting.data.leaderboards import Leaderboards

    boards = [board("usdr", "ab"), board("si", "ab"), board("bsseval-v3", "ba")]
    both = Leaderboards({one.series: {one.aggregation: one} for one in boards}, boards[0])
    models = {name: report_model(name, place) for place, name in enumerate("ab")}
    assert [choice.agreement for choice in metric_choices(both, models)] == [1.0, 1.0, -1.0]


@pytest.mark.parametrize(
    ("licence", "text"),
    [
        ({}, ""),
        ({"code": "MIT"}, "MIT"),
        ({"code": "MIT", "weights": "MIT"}, "MIT"),
        ({"code": "MIT", "weights": "MIT, as far as"}, "code: MIT; weights: MIT, as far as"),
    ],
)
def test_licences_of_code_and_weights_are_told_apart(licence: dict[str, str], text: str) -> None:
    assert replace(report_model("a", 0), licence=licence).licence_text == text


def test_a_section_without_data_introduces_its_command_once() -> None:
    from benchbench.plugins.templates import environment

    missing = environment().get_template("macros.html").module.missing
    assert "folders: <code>bench report A B</code>" in missing("Give folders:", "bench report A B")
    assert "None here. To add it: <code>" in missing("None here.", "bench run")
