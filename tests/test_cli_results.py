"""compare, gate, import and export, from the words of the command line to exit codes and files."""

import json
import xml.etree.ElementTree as Xml

import numpy as np
import pandas as pd
import pytest

from benchbench.__main__ import main

HARD = np.random.default_rng(0).normal(6, 3, 30)
NOISE = np.random.default_rng(1).normal(0, 0.3, 30)


@pytest.fixture
def bench(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["bench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def table(path, values, target="vocals"):
    rows = {"model": "net", "track": [f"t{k:02d}" for k in range(len(values))], "target": target,
            "metric": "SDR", "value": values, "protocol": "usdr", "dataset": "d",
            "reference_set": "r"}  # fmt: skip
    pd.DataFrame(rows).to_csv(path, index=False)


@pytest.fixture
def folders(bench, tmp_path):
    for name, values in (("old", HARD), ("new", HARD - 1 + NOISE)):
        table(tmp_path / f"{name}.csv", values)
        code, out, _ = bench("import", "table", f"{name}.csv", "--source", "lab", "--results", name)
        assert (code, out) == (0, "30 rows of 30 tracks: lab:net\n")
    return tmp_path


def test_compare_says_worse_in_every_form(bench, folders):
    code, out, _ = bench("compare", "old", "new")
    assert (code, "1 row: 1 worse." in out) == (0, True), out
    _, out, _ = bench("compare", "old", "new", "--format", "json")
    assert json.loads(out)["counts"]["worse"] == 1
    _, out, _ = bench("compare", "old", "new", "--format", "markdown", "--tolerance", "2")
    assert "1 same" in out
    code, out, _ = bench("compare", "old", "new", "--format", "html", "--out", "c.html")
    assert (code, out) == (0, "")
    assert (folders / "c.html").read_text().startswith("<!doctype html>")


def test_compare_answers_mistakes_with_the_next_step(bench, folders):
    code, _, err = bench("compare", "old", "new", "--format", "tabel")
    assert (code, "Did you mean 'table'" in err) == (2, True)
    code, _, err = bench("compare", "old", "nowhere")
    assert (code, "FOLDER@MODEL" in err) == (2, True)
    table(folders / "two.csv", HARD, "drums")
    bench("import", "table", "two.csv", "--source", "lab", "--results", "two")
    code, _, err = bench("compare", "old", "two")
    assert (code, "Nothing was compared" in err) == (3, True)


def test_a_gate_from_the_first_baseline_to_a_regression(bench, folders, monkeypatch):
    code, _, err = bench("gate", "--baseline", "base/main.parquet", "--results", "old")
    assert (code, "--accept" in err) == (2, True)
    code, out, _ = bench("gate", "--baseline", "base/main.parquet", "--results", "old", "--accept")
    assert (code, "Review it and commit it" in out) == (0, True)
    code, out, _ = bench("gate", "--baseline", "base/main.parquet", "--results", "old",
                         "--profile", "identical")  # fmt: skip
    assert (code, "No regression in 1 rows" in out) == (0, True)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folders / "step.md"))
    code, out, _ = bench("gate", "--baseline", "base/main.parquet", "--results", "new",
                         "--junit", "j.xml", "--json", "g.json", "--html", "g.html")  # fmt: skip
    assert code == 1
    assert out.startswith("failed  lab:net  vocals  usdr SDR  loss")
    assert Xml.parse(folders / "j.xml").find(".//failure") is not None
    assert json.loads((folders / "g.json").read_text())["exit_code"] == 1
    assert "❌ Regression" in (folders / "step.md").read_text()
    (folders / "gate.toml").write_text("tolerance = 3\n")
    assert bench("gate", "--baseline", "base/main.parquet", "--results", "new",
                 "--config", "gate.toml")[0] == 0  # fmt: skip


def test_calibration_prints_a_configuration(bench, folders):
    bench("gate", "--baseline", "b.parquet", "--results", "old", "--accept")
    code, out, _ = bench("gate", "--baseline", "b.parquet", "--results", "old", "--calibrate")
    assert (code, '"usdr:SDR" = 1e-06' in out) == (0, True)
    code, _, err = bench("gate", "--baseline", "b.parquet", "--accept", "--calibrate")
    assert (code, "exclude each other" in err) == (2, True)


def test_import_refuses_what_does_not_go_together(bench, folders):
    for words, said in (
        (("museum", "old.csv"), "Did you mean 'museval'"),
        (("table", "none.csv"), "There is no none.csv"),
        (("table", "old.csv", "--model", "x"), "--model cannot be used with table"),
    ):
        code, _, err = bench("import", *words, "--source", "lab")
        assert (code, said in err) == (2, True)


def test_export_writes_each_form(bench, folders):
    code, _, _ = bench("export", "csv", "--results", "old", "--out", "t.csv")
    assert (code, len((folders / "t.csv").read_text().splitlines())) == (0, 31)
    code, _, _ = bench("export", "latex", "--results", "old", "--out", "t.tex")
    caption = "SDR (usdr) on d: mean over 30 tracks."  # the only protocol that is stored
    assert (code, caption in (folders / "t.tex").read_text()) == (0, True)
    code, out, _ = bench("export", "huggingface", "--results", "old", "--out", "hf")
    assert code == 0
    found = json.loads((folders / out.strip()).read_text())["results"]["d/usdr/r/vocals"]
    assert found["SDR"] == pytest.approx(HARD.mean())
    code, _, err = bench("export", "museval", "--results", "old", "--out", "m")
    assert (code, "bsseval-v4" in err) == (3, True), err
    code, _, err = bench("export", "latex", "--results", "old", "--out", "x", "--dataset", "e",
                         "--protocol", "usdr")  # fmt: skip
    assert (code, "Unknown dataset" in err) == (2, True)
    code, _, err = bench("export", "latx", "--results", "old", "--out", "x")
    assert (code, "Did you mean 'latex'" in err) == (2, True)
