"""The simulations write what the rest of benchbench reads, with the spreads that they claim."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchbench.comparison import compare
from benchbench.results.integrity import damaged_parts
from benchbench.results.store import open_results
from benchbench.stats import pairwise, per_track


def command(name):
    """A command of ``benchmarks/``, which is no part of the installed package."""
    path = Path(__file__).parents[1] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


simulate = command("simulate")
gate_simulation = command("gate_simulation")


def test_a_simulated_folder_is_read_like_any_other(tmp_path):
    plan = simulate.Plan(models=3, tracks=6, runs=2, frames=4, failures=0.2, seed=3)
    simulate.simulate(tmp_path, plan)
    results = open_results(tmp_path)
    for kind in ("scores", "separations"):
        assert list(damaged_parts(tmp_path, kind)) == []
    assert len(results.runs()) == 2
    scores = results.scores_frame()
    assert set(scores["protocol"]) == set(simulate.PROTOCOLS)
    assert scores["value"].isna().equals(scores["value"].isna() & scores["reason"].notna())
    separations = results.separations_frame()
    assert len(separations) == 2 * 3 * 6
    assert set(separations["oracle"]) == {True, False}
    failed = (separations["status"] != "ok").sum()
    assert sum(run["counts"]["failed"] for run in results.runs()) == failed > 0


def test_spreads_are_those_of_the_literature(tmp_path):
    plan = simulate.Plan(models=2, tracks=400, protocols=("usdr",), stems="four",
                         failures=0, consolidated=True)  # fmt: skip
    table = per_track(simulate.simulate(tmp_path, plan).scores_frame())
    vocals = table[table["target"] == "vocals"]
    assert vocals.groupby("model", observed=True)["value"].std().mean() == pytest.approx(
        3.1, abs=0.3
    )
    spread = pairwise(vocals)["detectable"].iloc[0] * np.sqrt(400) / (1.966 + 0.843)
    assert spread == pytest.approx(1.4, abs=0.15)


def test_a_gain_that_was_put_in_comes_out(tmp_path):
    common = {"models": 1, "tracks": 12, "protocols": ("usdr",), "stems": "two", "failures": 0}
    simulate.simulate(tmp_path / "a", simulate.Plan(**common))
    gains = {"net00:base": -0.7}
    simulate.simulate(tmp_path / "b", simulate.Plan(**common, gains_db=gains))
    rows = compare(tmp_path / "a", tmp_path / "b").rows
    assert rows["difference"].tolist() == pytest.approx([-0.7, -0.7])
    assert set(rows["verdict"]) == {"worse"}


def test_the_gate_simulation_counts_and_reports(tmp_path, capsys):
    path = tmp_path / "found.json"
    words = ["--repetitions", "4", "--only", "identical", "--json", str(path)]
    assert gate_simulation.main(words) == 0
    found = json.loads(path.read_text())
    assert [row["share"] for row in found] == [0.0, 1.0]
    assert "| identical: nothing changed | stopped | 0.0%" in capsys.readouterr().out
