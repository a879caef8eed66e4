import json
import xml.etree.ElementTree as Xml

import numpy as np
import pandas as pd
import pytest

from benchbench.comparison import Side, Tolerances, write_baseline
from benchbench.comparison.costs import COST_COLUMNS
from benchbench.comparison.gate import (
    Check,
    GateConfig,
    GateResult,
    calibrate,
    gate,
    gate_html,
    gate_json,
    gate_junit,
    gate_markdown,
    gate_sides,
    gate_text,
    read_gate_config,
    write_reports,
)
from benchbench.errors import ManifestError, UsageError
from benchbench.stats import per_track

HARD = np.random.default_rng(0).normal(6, 3, 50)
NOISE = np.random.default_rng(1).normal(0, 1.4, 50)
NOISE -= NOISE.mean()


def rows(values, target="vocals", model="m:a", **other):
    made = {
        "model": model,
        "dataset": "d",
        "track": [f"t{k:02d}" for k in range(len(values))],
        "target": target,
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


def side(*parts, label="candidate", **other):
    table = per_track(pd.concat(parts, ignore_index=True))
    return Side(label, table, **{"hashes": {"d": frozenset({"h"})}, **other})


def costs(factor, memory=1e9, jobs=1):
    row = ["m:a", factor, memory, jobs, 50]
    return {
        "costs": pd.DataFrame([row], columns=list(COST_COLUMNS)),
        "machine": {"cpu": "c"},
    }


def judge(a, b, **config):
    return gate_sides(side(rows(a), label="base"), side(rows(b)), GateConfig(**config))


IDENTICAL = {"profile": "identical"}


def test_equal_results_pass_both_profiles():
    for config in ({}, IDENTICAL):
        result = judge(HARD, HARD, **config)
        assert result.exit_code == 0
        assert "No regression" in result.headline


def test_a_loss_fails_the_quality_profile_and_names_the_row():
    result = judge(HARD, HARD - 0.6 + NOISE)
    assert result.exit_code == 1
    check = result.checks[0]
    assert (check.status, check.rule, check.target) == ("failed", "loss", "vocals")
    assert "-0.60" in check.message


def test_a_gain_passes_the_quality_profile_but_not_the_identical_one():
    assert judge(HARD, HARD + 1).exit_code == 0
    result = judge(HARD, HARD + 1, **IDENTICAL)
    assert result.exit_code == 1
    assert result.checks[0].rule == "change"


def test_one_broken_track_is_caught_by_the_tail_rule():
    broken = HARD + 0.05 * NOISE
    broken[17] -= 9
    result = judge(HARD, broken)
    assert result.exit_code == 1
    assert result.checks[0].rule == "tail"
    assert "t17" in result.checks[0].message
    assert judge(HARD, broken, tail=Tolerances(10.0)).count("failed") == 0


def test_the_identical_profile_sees_a_change_of_one_track_in_fifty():
    nudged = HARD.copy()
    nudged[5] += 0.002
    assert judge(HARD, nudged, **IDENTICAL).exit_code == 1
    assert judge(HARD, nudged, identical=Tolerances(0.01), **IDENTICAL).exit_code == 0


@pytest.mark.parametrize("profile", ["quality", "identical"])
def test_a_track_that_lost_its_value_fails(profile):
    lost = HARD.copy()
    lost[3] = np.nan
    result = judge(HARD, lost, profile=profile)
    assert (result.exit_code, result.checks[0].rule) == (1, "newly failing")


def test_the_identical_profile_counts_missing_frames():
    frames = pd.concat([rows(HARD).assign(start_s=0.0), rows(HARD).assign(start_s=1.0)])
    gone = frames.copy()
    gone.iloc[60, gone.columns.get_loc("value")] = np.nan
    config = GateConfig(profile="identical")
    result = gate_sides(side(frames, label="base"), side(gone), config)
    assert (result.exit_code, result.checks[0].rule) == (1, "frames")


def test_a_gate_that_compared_nothing_says_so_and_exits_with_three():
    result = gate_sides(side(rows(HARD), label="base"), side(rows(HARD - 9, protocol="si")))
    assert result.exit_code == 3
    assert "Nothing was compared" in result.headline
    assert "egression" not in result.headline


def test_rows_without_a_counterpart_are_too_little_unless_allowed():
    base = side(rows(HARD), rows(HARD, "drums"), label="base")
    result = gate_sides(base, side(rows(HARD)))
    assert (result.exit_code, result.count("not compared")) == (3, 1)
    assert gate_sides(base, side(rows(HARD)), GateConfig(missing="warn")).exit_code == 0
    worse = gate_sides(base, side(rows(HARD - 2)))
    assert worse.exit_code == 1  # what is known to be worse weighs more than what is unknown


def test_a_missing_model_is_not_overlooked():
    base = side(rows(HARD), rows(HARD, model="m:b"), label="base")
    two = side(rows(HARD), rows(HARD, model="m:c"))
    assert gate_sides(base, two).exit_code == 3
    assert gate_sides(base, two, GateConfig(models=("m:a",))).exit_code == 0


def test_new_targets_do_not_need_a_baseline():
    candidate = side(rows(HARD), rows(HARD, "drums"))
    result = gate_sides(side(rows(HARD), label="base"), candidate)
    assert (result.exit_code, len(result.checks)) == (0, 1)


def test_a_small_part_of_the_tracks_is_too_little():
    result = judge(HARD, HARD[:20])
    assert result.exit_code == 3
    assert "20 of the baseline's 50 tracks" in result.checks[0].message
    assert judge(HARD, HARD[:20], coverage=0.3).exit_code == 0


def test_inconclusive_warns_and_strict_refuses():
    base = side(rows(HARD), rows(HARD, target="drums"), label="base")
    result = gate_sides(base, side(rows(HARD + NOISE), rows(HARD, target="drums")))
    assert (result.exit_code, result.count("warning")) == (0, 1)
    assert judge(HARD, HARD + NOISE, strict=True).exit_code == 3
    wide = judge(HARD, HARD + NOISE, strict=True, tolerance=Tolerances(1.0))
    assert wide.exit_code == 0


def test_a_gate_that_decided_nothing_passes_nothing():
    result = judge(HARD[:2], HARD[:2] - 5)
    assert result.exit_code == 3
    assert "every row is inconclusive (1)" in result.headline
    assert judge(HARD, HARD + NOISE).exit_code == 3


@pytest.mark.parametrize("tracks", [1, 2, 3, 50])
def test_a_loss_beyond_the_tail_limit_is_said_whatever_the_number_of_tracks(tracks):
    new = HARD[:tracks].copy()
    new[0] -= 7.5
    result = judge(HARD[:tracks], new)
    assert result.exit_code == 1
    assert "t00 is worse by 7.50, more than 6" in result.checks[0].message
    few = judge(HARD, new)  # also where most of the baseline's tracks are missing
    assert few.exit_code == 1
    all_lost = judge(HARD[:tracks], HARD[:tracks] - 7.5)
    assert "is worse by 7.50" in all_lost.checks[0].message


def test_costs_report_and_fail_only_when_asked_on_the_same_machine():
    base = side(rows(HARD), label="base", **costs(0.1))
    slow = side(rows(HARD), **costs(0.2))
    result = gate_sides(base, slow)
    assert result.exit_code == 0
    assert [check.status for check in result.checks if check.rule == "cost"] == [
        "warning",
        "passed",
    ]
    assert gate_sides(base, slow, GateConfig(cost_fails=True)).exit_code == 1
    elsewhere = side(rows(HARD), **{**costs(0.2), "machine": {"cpu": "other"}})
    result = gate_sides(base, elsewhere, GateConfig(cost_fails=True))
    assert result.exit_code == 0
    assert any("measured under different conditions" in check.message for check in result.checks)
    busy = side(rows(HARD), **costs(0.2, jobs=4))
    assert gate_sides(base, busy, GateConfig(cost_fails=True)).exit_code == 0


def test_selection_by_target_protocol_and_metric():
    base = side(rows(HARD), rows(HARD, "drums"), rows(HARD, metric="SIR"), label="base")
    bad = side(rows(HARD), rows(HARD - 3, "drums"), rows(HARD - 3, metric="SIR"))
    assert gate_sides(base, bad).exit_code == 1
    config = GateConfig(targets=("vocals",), metrics=("usdr:SDR",))
    result = gate_sides(base, bad, config)
    assert (result.exit_code, len(result.checks)) == (0, 1)
    assert gate_sides(base, bad, GateConfig(protocols=("si",))).exit_code == 3
    assert gate_sides(base, bad, GateConfig(models=("m:z",))).exit_code == 3


def test_files_on_both_sides_and_no_baseline_yet(tmp_path):
    path = write_baseline(tmp_path / "main.parquet", side(rows(HARD), label="base"))
    new = write_baseline(tmp_path / "new.parquet", side(rows(HARD - 2 + NOISE)))
    assert gate(path, new).exit_code == 1
    assert gate(path, path).exit_code == 0
    before = path.read_bytes()
    gate(path, new)
    assert path.read_bytes() == before  # judging accepts nothing
    with pytest.raises(UsageError, match="--accept"):
        gate(tmp_path / "none.parquet", new)
    strangers = write_baseline(tmp_path / "s.parquet", side(*(rows(HARD, model=m) for m in "xy")))
    both = write_baseline(tmp_path / "b.parquet", side(*(rows(HARD, model=m) for m in "vw")))
    result = gate(strangers, both)
    assert (result.exit_code, result.comparison) == (3, None)
    for text in (gate_text(result), gate_junit(result), gate_markdown(result), gate_html(result)):
        assert "Nothing was compared" in text
    assert json.loads(gate_json(result))["exit_code"] == 3


def test_calibration_proposes_what_the_next_run_needs(tmp_path):
    jitter = np.random.default_rng(2).uniform(-1e-4, 1e-4, 50)
    jitter[0] = 1e-4
    first = write_baseline(tmp_path / "1.parquet", side(rows(HARD), label="base"))
    second = write_baseline(tmp_path / "2.parquet", side(rows(HARD + jitter)))
    found = calibrate(first, second)
    assert found.table.iloc[0]["largest"] == pytest.approx(1e-4)
    assert found.table.iloc[0]["identical"] == pytest.approx(3e-4)
    (tmp_path / "gate.toml").write_text('profile = "identical"\n' + found.toml)
    config = read_gate_config(tmp_path / "gate.toml")
    assert config.identical.of("usdr", "SDR") == pytest.approx(3e-4)
    assert gate(first, second, config).exit_code == 0


# -- gate.toml ---------------------------------------------------------------------------------


def config_of(tmp_path, text):
    path = tmp_path / "gate.toml"
    path.write_text(text)
    return read_gate_config(path)


def test_a_whole_configuration(tmp_path):
    config = config_of(
        tmp_path,
        """
        profile = "quality"
        strict = true
        missing = "warn"
        alpha = 0.01
        min_tracks = 20
        tail = 8
        [tolerance]
        default = 0.2
        "usdr:SDR" = 0.05
        [cost]
        memory = 1.5
        fail = true
        [select]
        targets = ["vocals"]
        """,
    )
    assert config == GateConfig(
        strict=True,
        missing="warn",
        alpha=0.01,
        min_tracks=20,
        tail=Tolerances(8.0),
        tolerance=Tolerances(0.2, {"usdr:SDR": 0.05}),
        memory=1.5,
        cost_fails=True,
        targets=("vocals",),
    )
    assert config_of(tmp_path, "") == GateConfig()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tolerances = 1", "Did you mean 'tolerance'?"),
        ("[cost]\nmemmory = 1", "Did you mean 'memory'?"),
        ("[select]\ntarget = []", "Did you mean 'targets'?"),
        ("zzz = 1", "Known keys"),
        ('profile = "qualty"', "'quality' or 'identical'"),
        ("strict = 1", "true or false"),
        ("alpha = 2.0", "between 0 and 1"),
        ("min_tracks = 2.5", "whole number"),
        ("tail = -1", "0 or more"),
        ("tail = nan", "0 or more"),
        ('[tolerance]\nSDR = "x"', "tolerance.SDR"),
        ("cost = 3", "a table"),
        ('[select]\nmodels = "a"', "a list"),
        ("profile = ", "cannot be read"),
    ],
)
def test_mistakes_in_the_configuration_are_named(tmp_path, text, said):
    with pytest.raises(ManifestError) as caught:
        config_of(tmp_path, text)
    assert said in str(caught.value)
    assert "gate.toml" in str(caught.value)
    assert caught.value.exit_code == 2


# -- reports -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def regression():
    base = side(
        rows(HARD, "vocals"), rows(HARD, "drums"), rows(HARD, "bass"), rows(HARD, "<o>|"),
        label="base",
    )  # fmt: skip
    new = side(rows(HARD - 2, "vocals"), rows(HARD + NOISE, "drums"), rows(HARD, "bass"))
    return gate_sides(base, new)


def test_junit_has_one_case_a_target_and_metric(regression):
    root = Xml.fromstring(gate_junit(regression))
    suite = root.find("testsuite")
    assert suite.attrib | {"tests": "4", "failures": "1", "errors": "1"} == suite.attrib
    cases = {case.get("classname"): case for case in suite.iter("testcase")}
    assert set(cases) == {"m:a.vocals", "m:a.drums", "m:a.bass", "m:a.<o>|"}
    assert cases["m:a.vocals"].find("failure").get("type") == "loss"
    assert cases["m:a.<o>|"].find("error") is not None
    assert cases["m:a.bass"].find("failure") is None
    assert "inconclusive" in cases["m:a.drums"].find("system-out").text


def test_junit_survives_characters_that_xml_cannot_hold():
    check = Check("m:a", "vocals", "usdr SDR", "failed", "tail", "track \x00\x1b is worse")
    result = GateResult(1, "Regression.", (check,), None, GateConfig())
    assert "\ufffd" in Xml.fromstring(gate_junit(result)).find(".//failure").text


def test_the_summary_stays_within_its_limit_and_keeps_what_matters():
    checks = [
        Check("m:a", f"target {k}", "usdr SDR", "passed", "same", "ü" * 200) for k in range(9000)
    ]
    checks.insert(5000, Check("m:a", "vocals", "usdr SDR", "failed", "loss", "mean change -2"))
    result = GateResult(
        1, "Regression: 1 of 9001 checks failed.", tuple(checks), None, GateConfig()
    )
    text = gate_markdown(result)
    assert 900_000 < len(text.encode()) <= 1_000_000
    assert text.index("mean change -2") < 600
    assert "rows are left out" in text
    assert len(gate_markdown(result, limit=2000).encode()) <= 2000


def test_reports_are_written_and_the_summary_is_appended_to(tmp_path, regression):
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    written = write_reports(
        regression,
        junit=tmp_path / "out" / "junit.xml",
        summary=summary,
        json_file=tmp_path / "gate.json",
        html=tmp_path / "gate.html",
    )
    assert len(written) == 4
    assert summary.read_text().startswith("# Before\n## ❌ Regression")
    data = json.loads((tmp_path / "gate.json").read_text(), parse_constant=pytest.fail)
    assert data["exit_code"] == 1
    assert {check["status"] for check in data["checks"]} == {
        "failed", "warning", "passed", "not compared",
    }  # fmt: skip
    page = (tmp_path / "gate.html").read_text()
    assert "&lt;o&gt;|" in page
    assert "<o>" not in page
    assert page.count("<h1>") == 1


def test_text_shows_what_did_not_pass(regression):
    text = gate_text(regression)
    assert text.splitlines()[0].startswith("failed")
    assert "Regression: 1 of 4 checks failed. (1 of 4 checks passed)" in text
    assert gate_text(judge(HARD, HARD)).startswith("No regression")
