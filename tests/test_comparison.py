import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchbench.comparison import (
    Side,
    Tolerances,
    compare,
    compare_sides,
    comparison_html,
    comparison_json,
    comparison_markdown,
    comparison_text,
    directions,
    open_side,
    read_baseline,
    write_baseline,
)
from benchbench.comparison.directions import direction_of
from benchbench.comparison.gate.config import GateConfig
from benchbench.comparison.gate.decision import GateResult
from benchbench.comparison.gate.reports import gate_html
from benchbench.errors import (
    DamagedResultsError,
    NothingToCompareError,
    UnknownNameError,
    UsageError,
)
from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results
from benchbench.stats import per_track
from benchbench.stats.family import family_p

HARD = np.random.default_rng(0).normal(6, 3, 50)
NOISE = np.random.default_rng(1).normal(0, 1.4, 50)


def rows(values, model="m:a", **other):
    made = {
        "model": model,
        "dataset": "d",
        "track": [f"t{k:02d}" for k in range(len(values))],
        "target": "vocals",
        "reference_set": "vocals+other",
        "protocol": "usdr",
        "metric": "SDR",
        "metric_version": 1,
        "band_lo_hz": np.nan,
        "band_hi_hz": np.nan,
        "value": np.asarray(values, float),
        "reason": None,
    }
    return pd.DataFrame({**made, **other})


def side(*parts, label="a", **other):
    table = per_track(pd.concat(parts, ignore_index=True))
    return Side(label, table, **{"hashes": {"d": frozenset({"h"})}, **other})


def only_row(a, b, **other):
    comparison = compare_sides(side(*a), side(*b, label="b"), **other)
    assert len(comparison.rows) == 1
    return comparison.rows.iloc[0]


@pytest.mark.parametrize(
    ("gain", "verdict"), [(-1.0, "worse"), (1.0, "better"), (0.0, "inconclusive")]
)
def test_a_difference_is_judged_by_its_paired_interval(gain, verdict):
    row = only_row([rows(HARD)], [rows(HARD + NOISE - NOISE.mean() + gain)])
    assert row["verdict"] == verdict
    assert row["difference"] == pytest.approx(gain, abs=1e-9)
    assert row["lo"] < gain < row["hi"]


def test_small_spread_within_the_tolerance_is_the_same():
    row = only_row([rows(HARD)], [rows(HARD + 0.01 * NOISE)])
    assert row["verdict"] == "same"
    assert only_row([rows(HARD)], [rows(HARD)])["verdict"] == "same"


def test_a_sure_but_small_loss_is_not_called_worse():
    row = only_row([rows(HARD)], [rows(HARD - 0.09 + 0.1 * NOISE)])
    assert row["hi"] < 0
    assert row["verdict"] == "inconclusive"
    row = only_row([rows(HARD)], [rows(HARD - 0.3 + 0.1 * NOISE)])
    assert row["verdict"] == "worse"
    wide = Tolerances(0.1, {"usdr:SDR": 0.5, "SDR": 0.0})
    row = only_row([rows(HARD)], [rows(HARD - 0.3 + 0.1 * NOISE)], tolerances=wide)
    assert row["verdict"] == "same"


def test_few_tracks_decide_nothing():
    row = only_row([rows(HARD[:4])], [rows(HARD[:4] - 5)])
    assert row["verdict"] == "inconclusive"
    assert "4 shared track" in row["note"]


def test_a_lower_is_better_metric_turns_the_verdict_round(monkeypatch):
    monkeypatch.setattr("benchbench.comparison.rows.direction_of", lambda *_: "lower")
    row = only_row([rows(HARD)], [rows(HARD + 1 + 0.1 * NOISE)])
    assert row["verdict"] == "worse"
    assert row["difference"] > 0.9
    assert row["lo"] < row["difference"] < row["hi"]
    assert row["win_rate"] == 0.0
    assert directions.direction_of("no such protocol", "SDR", "vocals") == "higher"


def test_a_lost_track_is_not_rewarded_with_a_better_mean():
    values = HARD.copy()
    worst = int(values.argmin())
    values[worst] = np.nan
    row = only_row([rows(HARD)], [rows(values + 1)])
    assert row["verdict"] == "newly_failing"
    assert row["lost_tracks"] == f"t{worst:02d}"


def test_a_failed_separation_without_any_row_is_lost_too():
    failed = frozenset({("m:a", "d", "t07")})
    fewer = rows(HARD)[lambda frame: frame["track"] != "t07"]
    comparison = compare_sides(side(rows(HARD)), side(fewer, label="b", failed=failed))
    assert comparison.rows.iloc[0]["verdict"] == "newly_failing"
    not_run = compare_sides(side(rows(HARD)), side(fewer, label="b"))
    assert not_run.rows.iloc[0]["verdict"] == "same"
    assert not_run.rows.iloc[0]["n"] == 49


def test_a_track_that_has_a_value_again_is_fixed():
    before = HARD.copy()
    before[3] = np.nan
    assert only_row([rows(before)], [rows(HARD)])["verdict"] == "fixed"


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("protocol", "bsseval-v4"),
        ("reference_set", "vocals+drums+bass+other"),
        ("metric_version", 2),
        ("dataset", "e"),
    ],
)
def test_numbers_that_do_not_share_a_scale_are_refused_with_the_reason(column, other):
    row = only_row([rows(HARD)], [rows(HARD - 9, **{column: other})])
    assert (row["verdict"], row["cause"]) == ("incomparable", column)
    assert str(other) in row["note"]
    assert np.isnan(row["difference"])


def test_another_version_of_the_data_set_is_refused():
    other = side(rows(HARD), label="b", hashes={"d": frozenset({"other"})})
    row = compare_sides(side(rows(HARD)), other).rows.iloc[0]
    assert (row["verdict"], row["cause"]) == ("incomparable", "dataset_hash")


def test_an_unknown_version_is_compared_and_said():
    comparison = compare_sides(side(rows(HARD)), side(rows(HARD), label="b", hashes={}))
    assert comparison.rows.iloc[0]["verdict"] == "same"
    assert any("same version of d" in note for note in comparison.notes)


def test_what_only_one_side_has_is_listed():
    a = side(rows(HARD), rows(HARD, target="other"))
    b = side(rows(HARD), rows(HARD, target="drums"), label="b")
    causes = compare_sides(a, b).rows.set_index("target")["cause"].to_dict()
    assert causes == {"vocals": "", "other": "only_in_a", "drums": "only_in_b"}


def test_models_are_paired_by_name_or_by_being_the_only_one():
    one = compare_sides(side(rows(HARD)), side(rows(HARD, model="m:b"), label="b"))
    assert one.rows.iloc[0][["model_a", "model_b"]].tolist() == ["m:a", "m:b"]
    two = side(rows(HARD), rows(HARD, model="m:c"))
    with pytest.raises(NothingToCompareError, match="no model is in both"):
        compare_sides(two, side(rows(HARD, model="m:b"), label="b"))


def test_bands_do_not_drown_the_broadband_row():
    """One clear broadband loss among many bands of pure noise stays a loss."""
    generator = np.random.default_rng(3)

    def tables(noise):
        bands = [
            rows(
                HARD + noise * generator.normal(0, 1.4, 50),
                protocol="bands-octave",
                band_lo_hz=float(k),
                band_hi_hz=k + 1.0,
            )
            for k in range(60)
        ]
        return [rows(HARD - noise * 0.6 + noise * (NOISE - NOISE.mean())), *bands]

    found = compare_sides(side(*tables(0)), side(*tables(1), label="b")).rows
    assert found.set_index("protocol").loc["usdr", "verdict"] == "worse"
    assert (found["verdict"] == "worse").sum() <= 2


def test_family_p_is_exact_for_one_column_and_grows_with_more():
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    above, below = family_p(values[:, None], flips=20_000)
    assert above[0] == pytest.approx(1 / 64, abs=0.003)  # all of 2^6 flips are equally likely
    assert below[0] == pytest.approx(1.0)
    noise = np.random.default_rng(4).normal(0, 1, (6, 30))
    many, _ = family_p(np.column_stack([values, noise]), flips=5000)
    assert many[0] > above[0]
    copies, _ = family_p(np.repeat(values[:, None], 30, axis=1), flips=20_000)
    assert copies[0] == pytest.approx(above[0], abs=0.003)  # the same question asked 30 times


def test_family_p_of_equal_models_is_seldom_small():
    generator = np.random.default_rng(5)
    least = [family_p(generator.normal(0, 1, (30, 8)), flips=400)[1].min() for _ in range(300)]
    assert np.mean(np.array(least) <= 0.05) < 0.09


def test_family_p_with_nothing_to_judge():
    assert family_p(np.full((5, 1), np.nan))[0] == pytest.approx([1.0])
    assert family_p(np.zeros((5, 2)))[1] == pytest.approx([1.0, 1.0])


# -- results folders, runs, models, baselines ---------------------------------------------------


def write(root, run, model, values, *, failed=(), wall=10.0):
    results = Results(root)
    for track, value in enumerate(values):
        ok = track not in failed
        row = dict.fromkeys(SEPARATIONS.names)
        row |= {
            "separation_id": f"{run}-{model}-{track}".replace(":", "-"),
            "run_id": run, "model": model, "adapter_hash": "x", "weights_hash": run,
            "options_hash": "z", "dataset": "d", "dataset_hash": "h", "track": f"t{track:02d}",
            "track_hash": "th", "track_flags": "", "oracle": False, "trained_on": "",
            "stems": "vocals+other", "status": "ok" if ok else "crashed", "wall_s": wall,
            "audio_s": 100.0, "peak_rss_bytes": 10**9, "first_in_worker": track == 0, "jobs": 1,
        }  # fmt: skip
        results.write_separation(row)
        if not ok:
            continue
        frames = rows([value - 1, value, value + 4], model=model, track=f"t{track:02d}").assign(
            cell_id="c", separation_id=row["separation_id"], run_id=run,
            start_s=[0.0, 1.0, 2.0], duration_s=1.0, protocol="bsseval-v4", metric_hash=None,
        )  # fmt: skip
        table = pa.Table.from_pandas(frames[SCORES.names], schema=SCORES, preserve_index=False)
        results.write_scores(f"{run}-{track}", model, "d", table)
    results.write_run(run, {"run_id": run, "started": run, "machine": {"cpu": "c"}})
    return root


def test_two_folders_and_the_costs(tmp_path):
    a = write(tmp_path / "a", "r1", "m:a", HARD[:8])
    b = write(tmp_path / "b", "r2", "m:a", HARD[:8] - 3, failed={2}, wall=30.0)
    comparison = compare(a, b)
    row = comparison.rows.iloc[0]
    assert (row["verdict"], row["lost_tracks"]) == ("newly_failing", "t02")
    assert row["difference"] == pytest.approx(-3)
    assert row["value_a"] == pytest.approx(np.delete(HARD[:8], 2).mean())
    cost = comparison.costs.iloc[0]
    assert cost["real_time_factor_ratio"] == pytest.approx(3.0)
    assert cost["same_machine"]


def test_runs_and_models_of_one_folder_by_name(tmp_path):
    write(tmp_path, "20260101", "m:a", HARD[:8])
    write(tmp_path, "20260201", "m:a", HARD[:8] + 1)
    write(tmp_path, "20260201", "m:b", HARD[:8] + 2)
    runs = compare("20260101", "20260201", results=tmp_path).rows.iloc[0]
    assert runs["difference"] == pytest.approx(1)
    models = compare(f"{tmp_path}@m:a", f"{tmp_path}@m:b").rows.iloc[0]
    assert models["difference"] == pytest.approx(1)
    with pytest.raises(UnknownNameError, match="m:b"):
        compare("m:bb", "m:a", results=tmp_path)
    with pytest.raises(UsageError, match="matches 2 runs"):
        open_side("2026", results=tmp_path)
    with pytest.raises(UsageError, match="not a results folder"):
        compare("nowhere", "m:a")


def test_only_some_models(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, "r", "m:a", HARD[:6])
        write(tmp_path / name, "r", "m:b", HARD[:6])
    found = compare(tmp_path / "a", tmp_path / "b", models=["m:b"])
    assert set(found.rows["model_a"]) == {"m:b"}


def test_frames_that_only_one_has_can_be_left_out(tmp_path):
    a = write(tmp_path / "a", "r1", "m:a", HARD[:6])
    b = write(tmp_path / "b", "r2", "m:a", HARD[:6])
    part = next((b / "scores").rglob("*.parquet"))
    table = pq.read_table(part, partitioning=None).to_pandas()
    table.loc[2, ["value", "reason"]] = [np.nan, "silent_estimate"]
    pq.write_table(pa.Table.from_pandas(table, schema=SCORES, preserve_index=False), part)
    own = compare(a, b).rows.iloc[0]
    assert own["worst"] == pytest.approx(-0.5)  # the median moves between two frames
    shared = compare(a, b, frames="shared").rows.iloc[0]
    assert shared["worst"] == 0.0
    assert (own["missing_a"], own["missing_b"]) == (0, 1)
    write_baseline(tmp_path / "a.parquet", open_side(a))
    with pytest.raises(UsageError, match="one number per track"):
        compare(tmp_path / "a.parquet", b, frames="shared")


def test_a_baseline_gives_back_what_was_written(tmp_path):
    failing = write(tmp_path / "a", "r1", "m:a", HARD[:6], failed={1})
    side_of = open_side(failing)
    path = write_baseline(tmp_path / "main.parquet", side_of)
    again = read_baseline(path)
    assert again.hashes == side_of.hashes
    assert again.failed == side_of.failed == {("m:a", "d", "t01")}
    assert again.origin["models"]["m:a"]["weights_hash"] == "r1"
    assert dict(again.machine) == {"cpu": "c"}
    row = compare(path, failing).rows.iloc[0]
    assert (row["n"], row["worst"], row["best"], row["verdict"]) == (5, 0.0, 0.0, "same")
    first = path.read_bytes()
    write_baseline(path, open_side(failing))
    assert path.read_bytes() == first  # the same numbers leave git quiet
    assert len(first) < 20_000


def test_a_baseline_changed_by_hand_is_damaged(tmp_path):
    path = write_baseline(tmp_path / "m.parquet", side(rows(HARD)))
    table = pq.read_table(path)
    values = table["value"].to_numpy().copy()
    values[0] += 0.5
    column = table.column_names.index("value")
    pq.write_table(table.set_column(column, table.schema.field("value"), pa.array(values)), path)
    with pytest.raises(DamagedResultsError, match="hash"):
        read_baseline(path)
    path.write_bytes(b"PAR1 and not more")
    with pytest.raises(DamagedResultsError, match="Parquet"):
        read_baseline(path)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(UsageError, match="not a benchbench baseline"):
        read_baseline(path)


def test_nothing_makes_no_baseline(tmp_path):
    with pytest.raises(UsageError, match="has no values"):
        write_baseline(tmp_path / "m.parquet", side(rows([np.nan, np.nan])))


def test_frames_summed_up_differently_do_not_meet(tmp_path):
    folder = write(tmp_path / "a", "r1", "m:a", HARD[:6])
    path = write_baseline(tmp_path / "m.parquet", open_side(folder, frames="mean"))
    with pytest.raises(UsageError, match="mean over frames"):
        compare(path, folder)
    assert compare(path, folder, aggregate_frames="mean").rows.iloc[0]["verdict"] == "same"


# -- rendering ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed():
    a = side(rows(HARD), rows(HARD, target="<b>|drums"), rows(HARD, target="bass"))
    b = side(
        rows(HARD - 1 + 0.1 * NOISE),
        rows(HARD + 1 + 0.1 * NOISE, target="<b>|drums"),
        rows(HARD, target="bass", protocol="si"),
        label="b",
    )
    return compare_sides(a, b)


def test_text_begins_with_the_verdict_and_the_headline_metric(mixed):
    lines = comparison_text(mixed).splitlines()
    assert lines[:2] == ["a: a", "b: b"]
    sentence = " ".join(lines[3:5])
    assert sentence.startswith("m:a in b by usdr SDR: worse on ")
    assert "better on <b>|drums +0.99" in sentence
    assert lines[lines.index("usdr SDR, dB") + 1].split()[0] == "vocals"
    assert lines[lines.index("usdr SDR, dB") + 1].endswith("- worse")
    assert "3 rows: 1 worse, 1 incomparable, 1 better." in lines
    assert "means over the tracks that both have" in comparison_text(mixed).replace("\n", " ")
    short = comparison_text(mixed, limit=1)
    assert "2 rows hidden; use --format json to see all." in short
    assert "+ better" not in short


@pytest.mark.parametrize("columns", [80, 120])
def test_bands_and_other_metrics_are_shown_on_demand_and_lines_fit(columns):
    sides = []
    for shift in (0.0, 1.0):
        band = rows(HARD + shift, band_lo_hz=100.0, band_hi_hz=200.0)
        other = rows(HARD + 10 * shift, metric="SIR", protocol="bsseval-v4")
        sides.append(side(rows(HARD + shift + 0.1 * NOISE), band, other, label=f"side{shift}"))
    found = compare_sides(*sides)
    short = comparison_text(found, columns=columns)
    assert "100-200 Hz" not in short
    assert "Not shown: 2 rows (2 better) of other metrics and bands. --all shows" in short
    full = comparison_text(found, everything=True, columns=columns)
    assert full.index("usdr SDR, dB") < full.index("bsseval-v4 SIR") < full.index("100-200 Hz")
    assert max(map(len, full.splitlines())) <= columns


def test_an_adapters_name_stands_for_its_default_variant(tmp_path):
    for model in ("spleeter:2stems", "spleeter:4stems", "other:only"):
        write(tmp_path, "r", model, HARD[:6])
    found = compare(f"{tmp_path}@spleeter", f"{tmp_path}@other")
    assert set(zip(found.rows["model_a"], found.rows["model_b"], strict=True)) == {
        ("spleeter:2stems", "other:only")
    }
    with pytest.raises(UnknownNameError, match="Did you mean"):
        compare(f"{tmp_path}@spleter", f"{tmp_path}@other")


def test_json_is_strict_and_complete(mixed):
    data = json.loads(comparison_json(mixed), parse_constant=pytest.fail)
    assert data["counts"]["worse"] == 1
    assert len(data["rows"]) == 3
    assert [row["difference"] for row in data["rows"]].count(None) == 1
    assert data["settings"]["seed"] == 20180706


def test_markdown_cells_cannot_break_the_table(mixed):
    table = [line for line in comparison_markdown(mixed).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {13}


def test_html_is_well_formed_and_escapes_names(mixed):
    class Checker(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.text = [], []

        def handle_starttag(self, tag, attrs):
            if tag != "meta":
                self.open.append(tag)
            assert not any(name in {"src", "href"} for name, _ in attrs)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.text.append(data)

    checker = Checker()
    checker.feed(comparison_html(mixed))
    assert checker.open == []
    assert "<b>|drums" in checker.text


def test_a_targets_own_part_is_wanted_and_every_other_is_bleed() -> None:
    assert direction_of("bleed", "bleed:vocals", "vocals") == "higher"
    assert direction_of("bleed", "bleed:drums", "vocals") == "lower"
    assert direction_of("usdr", "SDR", "vocals") == "higher"
    assert direction_of("a protocol of somebody", "X", "vocals") == "higher"


@pytest.mark.parametrize("kind", ["comparison", "gate"])
def test_pages_run_nothing_but_their_own_style(mixed, kind):
    gated = GateResult(1, "<script>alert(1)</script>", (), mixed, GateConfig())
    page = comparison_html(mixed) if kind == "comparison" else gate_html(gated)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in html.unescape(policy).split("; "))
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert rules["default-src"] == rules["script-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{digest}'"
    assert "<script" not in page
    assert " style=" not in page
