"""Ratings of listeners: imported, screened, compared with metrics, and in the report's headline."""

from __future__ import annotations

import re

import numpy as np
import pytest
from simulate import Plan, simulate
from typer.testing import CliRunner

import benchbench
from benchbench.api.agreement import agreement
from benchbench.api.import_results import import_results
from benchbench.cli import app
from benchbench.errors import ManifestError, NothingToCompareError, UnknownNameError, UsageError
from benchbench.results.interchange import Source
from benchbench.results.interchange.ratings_import import Rated
from benchbench.results.interchange.webmushra_import import screened
from benchbench.results.rated_models import scored_models
from benchbench.stats.agreement import Ratings
from benchbench.stats.agreement import agreement as measured

MAPPING = """
track = "song"
model = "system"
kind = "kind"
rating = ["anna", "ben", "carl"]
dataset = "small"
[metrics]
"usdr/SDR" = "sdr"
"visqol/MOS-LQO" = "visqol"
"""
MUSHRA = ("session_uuid", "trial_id", "rating_stimulus", "rating_score")
SONGS = 12
QUALITY = {"masked": 3.0, "masked-worse": 2.0, "made-anew": 4.0}


def ratings_csv(folder, columns=("sdr", "visqol")):
    """Three systems: SDR knows which of the masking ones is better, and puts the generative last."""
    rng = np.random.default_rng(0)
    lines = ["song,system,kind,anna,ben,carl,sdr,visqol"]
    for song in range(SONGS):
        for system, quality in QUALITY.items():
            kind = "generative" if system == "made-anew" else "masking"
            marks = np.clip(np.round(quality + rng.normal(0, 0.4, 3)), 1, 5).astype(int)
            sdr = -5.0 if kind == "generative" else 2 * quality
            lines.append(
                f"s{song},{system},{kind},{','.join(map(str, marks))},{sdr},{quality - 0.1:.2f}"
            )
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    kept = [line for line in MAPPING.splitlines() if not line.startswith('"')]
    kept += [
        line
        for line in MAPPING.splitlines()
        if line.startswith('"') and line.split('"')[-2] in columns
    ]
    (folder / "ratings.toml").write_text("\n".join(kept) + "\n")
    return folder / "ratings.csv", folder / "ratings.toml"


@pytest.fixture
def rated(tmp_path):
    table, mapping = ratings_csv(tmp_path)
    import_results("ratings", table, tmp_path / "r", source=Source("test"), mapping=mapping)
    return tmp_path / "r"


def test_shares_count_pairs_by_kind(rated):
    found = {(one.metric, one.kind): one for one in agreement(rated)}
    assert found["usdr SDR", "generative against masking"].share == 0.0
    assert found["visqol MOS-LQO", "generative against masking"].share > 0.95
    masking = found["usdr SDR", "masking"]
    assert masking.share > 0.9
    assert masking.low <= masking.share <= masking.high
    assert agreement(rated)[0].metric == "visqol MOS-LQO"


def test_pairs_and_ties_are_counted_as_defined():
    values = np.array([[[5.0], [1.0], [3.0]], [[1.0], [5.0], [3.0]]])  # the last song is a tie
    ratings = Ratings(("a", "b"), ("x", "y", "z"), values, np.array([False, False]))
    same, tied = (
        measured(ratings, {"m": np.array(v)}, 10)[0]
        for v in ([[2.0, 1, 9], [1.0, 2, 0]], [[1.0, 1, 0], [1.0, 2, 0]])
    )
    assert (same.pairs, same.share) == (2, 1.0)
    assert (tied.pairs, tied.share) == (2, 0.75)


def test_the_command_prints_a_line_per_metric(rated):
    done = CliRunner().invoke(app, ["agreement", str(rated)])
    assert done.exit_code == 0, done.output
    assert re.search(r"usdr SDR +0\.\d+ \[", done.output)
    csv = CliRunner().invoke(app, ["agreement", str(rated), "--format", "csv"]).output
    assert csv.startswith("metric,kind,pairs,share,low,high\n")


def test_the_page_shows_the_agreement_of_each_metric(rated, tmp_path):
    page = benchbench.report([rated], tmp_path / "page.html").read_text()
    table = page[page.index('<table id="agreement-1"') :].partition("</table>")[0]
    text = " ".join(re.sub(r"<[^>]+>", " ", table).split())
    assert "Generative against masking (24 pairs)" in text
    found = {(each.metric, each.kind): each for each in agreement(rated)}
    for (metric, kind), each in found.items():
        row = text[text.index(metric) :]
        assert f"{each.share:.2f} {each.low:.2f} to {each.high:.2f}" in row, kind
    assert text.index("visqol MOS-LQO") < text.index("usdr SDR")
    told = re.sub(r"<[^>]+>", "", page[page.index('id="agreement-1-title"') :][:1500])
    assert "3 listeners rated vocals of 3 separators on 12 songs of small" in told
    assert "usdr SDR orders them against the listeners" in told


@pytest.fixture
def panel(tmp_path):
    """Results of a run, and the answers of a test of its stems that was exported from them."""
    root = tmp_path / "run"
    simulate(root, Plan(models=3, tracks=6, frames=3, runs=1, stems="four", failures=0.0))
    scores = benchbench.Results(root).scores_frame()
    chosen = scores[(scores["protocol"] == "usdr") & (scores["target"] == "vocals")]
    chosen = chosen[chosen["metric"] == "SDR"].groupby(["track", "model"], observed=True)
    sdr = chosen["value"].mean()
    pages, lines = ["pages:", "  -", "    - random"], [",".join(MUSHRA)]
    for number, (track, values) in enumerate(sdr.groupby(level="track", observed=True)):
        pages += [
            "    - type: mushra",
            f"      id: page-{number}",
            f"      name: 'vocals: {track}'",
        ]
        for listener in ("anna", "ben"):
            lines.append(f"{listener},page-{number},reference,100")
            lines.append(f"{listener},page-{number},mixture,5")
            for place, (_, model) in enumerate(values.sort_values().index):
                lines.append(f"{listener},page-{number},{model},{20 + 20 * place}")
    pages += ["  - type: finish", "    name: Thank you"]  # which has no identifier
    (tmp_path / "test.yaml").write_text("\n".join(pages) + "\n")
    (tmp_path / "mushra.csv").write_text("\n".join(lines) + "\n")
    return root, tmp_path / "mushra.csv"


def test_answers_are_joined_with_the_scored_models(panel, tmp_path):
    root, answers = panel
    import_results("webmushra", answers, root, source=Source("panel"))
    found = {(each.metric, each.kind): each for each in agreement(root)}
    assert found["usdr SDR", "all"].share == 1.0  # the listeners answered by SDR
    assert found["usdr SDR", "all"].pairs == 3 * 6
    page = benchbench.report([root], tmp_path / "page.html").read_text()
    assert 'id="agreement-1"' in page
    believe = page.partition('id="metric-choice"')[2].partition("</table>")[0]
    assert "listening rating" in believe  # beside the metrics of the same references
    board = page.partition("<tbody data-board-rows>")[2].partition("</tbody>")[0]
    assert "panel:" not in board
    places = scored_models(benchbench.Results(root).scores_frame())
    assert (
        {place[1] for place in places.values()}
        == {"simulated"}
        == {*benchbench.Results(root).scores_frame().query("protocol == 'usdr'")["dataset"]}
    )
    assert (
        places["panel:mixture", "listening-test"][0] == "panel:mixture"
    )  # no such model is scored


def test_compare_holds_the_ratings_of_a_scored_model(panel):
    root, answers = panel
    plain = benchbench.compare(f"{root}@net01:base", f"{root}@net02:base").rows
    import_results("webmushra", answers, root, source=Source("panel"))
    found = benchbench.compare(f"{root}@net01:base", f"{root}@net02:base").rows
    (rating,) = found[found["protocol"] == "listening"].to_dict("records")
    assert (rating["metric"], rating["target"], rating["n"]) == ("rating", "vocals", 6)
    board = benchbench.Results(root).scores_frame().query("metric == 'rating'")
    means = board.groupby("model", observed=True)["value"].mean()
    assert rating["value_a"] == pytest.approx(means["panel:net01:base"])
    assert rating["value_b"] == pytest.approx(means["panel:net02:base"])
    scored = found[found["protocol"] != "listening"]
    assert sorted(scored["difference"].dropna()) == sorted(plain["difference"].dropna())


def test_a_broken_test_file_is_named(panel):
    root, answers = panel
    answers.with_name("test.yaml").write_text("pages: [")
    with pytest.raises(UsageError, match=r"test\.yaml is no YAML file"):
        import_results("webmushra", answers, root, source=Source("panel"))


def test_two_tests_of_the_same_models_stay_apart(panel, tmp_path):
    root, answers = panel
    for name in ("panel", "crowd"):
        import_results("webmushra", answers, root, source=Source(name))
    assert scored_models(benchbench.Results(root).scores_frame()) == {}


def test_ratings_without_scores_say_what_is_missing(panel, tmp_path):
    import_results("webmushra", panel[1], tmp_path / "alone", source=Source("panel"))
    with pytest.raises(NothingToCompareError, match="no metric of the rated models"):
        agreement(tmp_path / "alone")
    page = benchbench.report([tmp_path / "alone"], tmp_path / "page.html").read_text()
    assert "No metric of these results has numbers" in page


def test_the_headline_takes_a_metric_that_ranks_both_kinds(rated, tmp_path):
    page = benchbench.report([rated], tmp_path / "page.html").read_text()
    first = re.sub(r"<[^>]+>", "", page[page.index('id="summary"') :][:3000])
    assert "ranked by listening rating" in first
    assert "test:made-anew" in first


@pytest.mark.parametrize("columns", [("sdr", "visqol"), ("sdr",)])
def test_without_ratings_visqol_decides_or_there_are_two_boards(tmp_path, columns):
    table, mapping = ratings_csv(tmp_path, columns)
    mapped = mapping.read_text()
    lines = table.read_text().splitlines()
    rows = ["model,track,target,dataset,protocol,metric,value,reference_set"]
    for line in lines[1:]:
        cells = line.split(",")
        for protocol, metric, value in (("usdr", "SDR", cells[6]), ("visqol", "MOS-LQO", cells[7])):
            if f'"{protocol}/' in mapped:
                rows.append(f"{cells[1]},{cells[0]},vocals,small,{protocol},{metric},{value},x+y")
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n")
    import_results(
        "table", tmp_path / "scores.csv", tmp_path / "r", source=Source("test"),
        generative=["made-anew"],
    )  # fmt: skip
    page = benchbench.report([tmp_path / "r"], tmp_path / "page.html").read_text()
    first = re.sub(r"<[^>]+>", "", page[page.index('id="summary"') :][:3000])
    if len(columns) == 2:
        assert "ranked by visqol MOS-LQO" in first
    else:
        assert "cannot rank generative separators against masking ones" in first
        assert "--metrics report,visqol" in first
        assert page.count('class="kind"') == 2
        assert "best among masking separators" in first


def test_listeners_who_miss_the_hidden_reference_are_named(tmp_path):
    lines = ["session_uuid,trial_id,rating_stimulus,rating_score"]
    for page in range(10):
        for name, mark in (("good", 95), ("deaf", 95 if page > 1 else 40)):
            lines.append(f"{name},p{page},reference,{mark}")
            lines += [f"{name},p{page},{model},{50 + n}" for n, model in enumerate(("a:x", "b:y"))]
    (tmp_path / "mushra.csv").write_text("\n".join(lines) + "\n")
    done = import_results(
        "webmushra", tmp_path, tmp_path / "r", source=Source("test"), generative=["b:y"]
    )
    assert any("deaf" in note and "20%" in note for note in done.notes)
    assert not any("good" in note for note in done.notes)
    frame = benchbench.Results(tmp_path / "r").scores_frame()
    assert set(frame["metric"]) == {"rating", "rating-of:good"}
    assert set(frame["model"]) == {"test:a:x", "test:b:y"}


def test_the_rule_of_screening():
    def marks(missed):
        return [
            Rated(f"p{n}", "reference", "x", 80.0 if n < missed else 100.0, n) for n in range(20)
        ]

    assert screened(marks(3))[1] == []  # 15% of the pages is allowed
    assert screened(marks(4))[1] == [("x", 0.2)]


def test_bad_tables_are_refused(tmp_path):
    table, mapping = ratings_csv(tmp_path)
    mapping.write_text(mapping.read_text().replace('"song"', '"sing"'))
    with pytest.raises(UnknownNameError, match="Did you mean 'song'"):
        import_results("ratings", table, tmp_path / "r", source=Source("t"), mapping=mapping)
    mapping.write_text('trak = "song"')
    with pytest.raises(ManifestError, match="trak"):
        import_results("ratings", table, tmp_path / "r", source=Source("t"), mapping=mapping)


def test_results_without_ratings_say_how_to_bring_some(tmp_path):
    rows = ["model,track,target,metric,value", "a,s,vocals,SDR,1.0"]
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n")
    import_results("table", tmp_path / "scores.csv", tmp_path / "r", source=Source("test"))
    with pytest.raises(NothingToCompareError, match="bench import webmushra"):
        agreement(tmp_path / "r")


def test_compare_holds_the_kinds_apart(rated):
    found = benchbench.compare(f"{rated}@test:masked", f"{rated}@test:made-anew")
    rows = found.rows.set_index(["protocol", "metric"])
    assert rows.loc[("usdr", "SDR"), "verdict"] == "incomparable"
    assert "generative" in rows.loc[("usdr", "SDR"), "note"]
    assert rows.loc[("visqol", "MOS-LQO"), "verdict"] != "incomparable"
    alike = benchbench.compare(f"{rated}@test:masked", f"{rated}@test:masked-worse").rows
    assert "incomparable" not in set(alike.loc[alike["metric"] == "SDR", "verdict"])
