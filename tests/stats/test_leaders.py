import numpy as np
import pandas as pd
import pytest

from benchbench.errors import UnknownNameError, UsageError
from benchbench.stats import AGGREGATIONS, bootstrap_interval, leaderboard, per_track


def scores_of(models, protocol="bsseval-v4"):
    """Rows from {model: {track: [frames]}}; None is a missing frame."""
    rows = [
        {
            "run_id": "r",
            "model": model,
            "dataset": "d",
            "track": track,
            "target": "vocals",
            "reference_set": "vocals+other",
            "protocol": protocol,
            "metric": "SDR",
            "metric_version": 1,
            "band_lo_hz": np.nan,
            "band_hi_hz": np.nan,
            "start_s": float(index),
            "duration_s": 1.0,
            "value": np.nan if value is None else float(value),
            "reason": "silent_reference" if value is None else None,
        }
        for model, tracks in models.items()
        for track, frames in tracks.items()
        for index, value in enumerate(frames)
    ]
    return pd.DataFrame(rows)


FRAMES = {"t1": [0, 1, 8], "t2": [2, 3, 10], "t3": [4, 6, 50]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("median of frame medians", 3.0),
        ("mean of frame medians", 10 / 3),
        ("mean of frame means", (3 + 5 + 20) / 3),
        ("median of frame means", 5.0),
    ],
)
def test_each_aggregation_gives_its_own_number(name, expected):
    row = leaderboard(scores_of({"m:a": FRAMES}), name).iloc[0]
    assert row["value"] == pytest.approx(expected)
    assert row["aggregation"] == name


def test_every_aggregation_says_what_it_is_and_where_it_comes_from():
    for name, aggregation in AGGREGATIONS.items():
        assert name == aggregation.name
        assert len(aggregation.description) > 30
        assert aggregation.source


def test_intervals_and_counts_of_a_model_with_gaps():
    models = {
        "m:a": {f"t{k}": [k, k] for k in range(8)},
        "m:b": {f"t{k}": [k + 1, None] for k in range(6)},
    }
    table = leaderboard(scores_of(models), "mean of frame medians").set_index("model")
    interval = bootstrap_interval(np.arange(8.0))
    assert table.loc["m:a", "lo"] == pytest.approx(interval.low)
    assert table.loc["m:a", "hi"] == pytest.approx(interval.high)
    assert (table.loc["m:b", "tracks"], table.loc["m:b", "expected"]) == (6, 8)
    assert table.loc["m:a", "missing_rate"] == 0.0
    assert table.loc["m:b", "missing_rate"] == pytest.approx(1 - 6 * 0.5 / 8)
    assert set(table["seed"]) == {20180706}


def test_protocols_may_have_aggregations_of_their_own():
    both = pd.concat([scores_of({"m:a": FRAMES}), scores_of({"m:a": FRAMES}, "windows")])
    table = leaderboard(both, {"windows": "mean of frame means"}).set_index("protocol")
    assert table.loc["bsseval-v4", "value"] == 3.0
    assert table.loc["windows", "value"] == pytest.approx(28 / 3)


def test_an_unknown_aggregation_is_answered_with_a_suggestion():
    with pytest.raises(UnknownNameError, match="mean of frame means"):
        leaderboard(scores_of({"m:a": FRAMES}), "mean of frames means")


def test_a_table_of_medians_cannot_be_read_as_one_of_means():
    table = per_track(scores_of({"m:a": FRAMES}))
    with pytest.raises(UsageError, match="frames='mean'"):
        leaderboard(table, "mean of frame means")


def test_a_model_without_any_value_stays_on_the_board():
    models = {"m:a": {"t1": [1.0]}, "m:b": {"t1": [None]}}
    table = leaderboard(scores_of(models)).set_index("model")
    assert np.isnan(table.loc["m:b", "value"])
    assert (table.loc["m:b", "tracks"], table.loc["m:b", "missing_rate"]) == (0, 1.0)


def test_tables_keep_text_and_numbers_apart_by_reference_set():
    other = scores_of({"m:a": FRAMES}).assign(reference_set="four")
    table = leaderboard(pd.concat([scores_of({"m:a": FRAMES}), other]))
    assert sorted(table["reference_set"]) == ["four", "vocals+other"]


@pytest.mark.parametrize("categorical", [False, True])
@pytest.mark.parametrize("name", ["mean of frame medians", "median of frame medians"])
def test_intervals_do_not_depend_on_the_order_of_tracks(name, categorical):
    rng = np.random.default_rng(5)
    models = {
        model: {f"t{k}": list(rng.normal(5, 3, 3)) for k in range(12)} for model in ("m:a", "m:b")
    }
    models["m:b"].pop("t7")
    scores = scores_of(models)
    turned = scores.iloc[rng.permutation(len(scores))].reset_index(drop=True)
    if categorical:
        turned["track"] = pd.Categorical(turned["track"], list(turned["track"].unique()))
    one, other = (
        leaderboard(table, name).sort_values("model")[["value", "lo", "hi"]].to_numpy(dtype=float)
        for table in (scores, turned)
    )
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
