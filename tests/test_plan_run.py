"""`bench run --plan`: what would be done, and that nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

import benchbench
from benchbench.api.plan import ModelPlan, RunPlan, plan_run
from benchbench.cli.tables.plan import plan_table


def test_it_counts_what_is_left_and_does_nothing(tmp_path: Path, small_songs: Path) -> None:
    out = tmp_path / "results"
    arguments = {"dataset": "folder", "root": small_songs, "metrics": "usdr", "out": out}
    first = plan_run("mixture,silence", **arguments)  # type: ignore[arg-type]
    assert not out.exists()
    assert [model.separations for model in first.models] == [2, 2]
    assert first.audio_s == pytest.approx(3.5)
    assert first.models[0].seconds is None
    benchbench.run(
        "mixture", "folder", root=small_songs, metrics="usdr", out=out, report=False, limit=1
    )
    second = plan_run("mixture,silence", **arguments)  # type: ignore[arg-type]
    assert [model.separations for model in second.models] == [1, 2]
    assert second.models[0].seconds is not None
    assert second.stored == 1


def test_the_table_says_what_is_fetched_and_what_is_unknown() -> None:
    planned = RunPlan(
        "demo", 9, 108.0, 0, (ModelPlan("a:v", 9, 12.0, 73.0), ModelPlan("b:v", 9, None, 0.0))
    )
    lines = plan_table(planned, 80).splitlines()
    assert lines[2].split() == ["a:v", "9", "12", "s", "73", "MB"]
    assert lines[3].split() == ["b:v", "9", "?", "-"]
    assert max(map(len, lines)) <= 80
    assert lines[-1].endswith("Nothing was done.")
