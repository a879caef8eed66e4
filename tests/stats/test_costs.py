"""One definition of speed, and one of the newest attempt, for every output."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchbench.comparison.costs import costs_of
from benchbench.stats.attempts import newest_separations, run_ages
from benchbench.stats.costs import real_time_factors


def separations(**columns: list[object]) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    table = {
        "model": ["a"] * rows, "dataset": ["demo"] * rows, "track": [f"t{i}" for i in range(rows)],
        "run_id": ["2026"] * rows, "status": ["ok"] * rows, "wall_s": [1.0] * rows,
        "audio_s": [10.0] * rows, "first_in_worker": [False] * rows, "jobs": [1] * rows,
        "peak_rss_bytes": [1.0] * rows,
    }  # fmt: skip
    return pd.DataFrame({**table, **columns})


def test_a_single_separation_is_timed_although_it_was_the_workers_first() -> None:
    # So that `--limit 1` has a speed in every output.
    table = separations(wall_s=[2.0], first_in_worker=[True])
    assert real_time_factors(table).to_dict() == {"a": 0.2}
    assert costs_of(table)["real_time_factor"].tolist() == [0.2]


def test_the_first_in_a_worker_counts_for_its_own_model_only() -> None:
    table = separations(
        model=["a", "a", "b"], wall_s=[50.0, 1.0, 4.0], first_in_worker=[True, False, True]
    )
    assert real_time_factors(table).to_dict() == {"a": 0.1, "b": 0.4}


def test_long_tracks_weigh_more() -> None:
    table = separations(wall_s=[1.0, 9.0], audio_s=[10.0, 30.0])
    assert real_time_factors(table).to_dict() == {"a": 0.25}


def test_failed_and_untimed_separations_and_empty_tracks_do_not_count() -> None:
    table = separations(
        status=["ok", "failed", "ok", "ok"],
        wall_s=[1.0, 99.0, np.nan, 5.0],
        audio_s=[10.0, 10.0, 10.0, 0.0],
    )
    assert real_time_factors(table).to_dict() == {"a": 0.1}
    assert real_time_factors(table[:0]).to_dict() == {}


def test_missing_facts_about_the_worker_mean_not_first() -> None:
    table = separations(wall_s=[1.0, 3.0], first_in_worker=[None, None])
    assert real_time_factors(table).to_dict() == {"a": 0.2}


def test_the_newest_attempt_is_the_one_of_the_newest_run() -> None:
    table = separations(
        track=["x", "x", "y"], run_id=["2026-2", "2026-1", "2026-1"], wall_s=[2.0, 1.0, 3.0]
    )
    kept = newest_separations(table)
    assert dict(zip(kept["track"], kept["wall_s"], strict=True)) == {"x": 2.0, "y": 3.0}
    kept = newest_separations(table, order=["2026-2", "2026-1"])
    assert dict(zip(kept["track"], kept["wall_s"], strict=True)) == {"x": 1.0, "y": 3.0}
    assert newest_separations(table[:0]).empty


def test_runs_that_the_order_does_not_hold_are_the_oldest() -> None:
    assert run_ages(["c", "b", "a"], order=["b"]) == [1, 2, 0]
