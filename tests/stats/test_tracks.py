import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchbench.errors import UsageError
from benchbench.stats import intersect_frames, newest, per_track, wide
from benchbench.stats.groups import group_by


def score(model="m:a", track="t1", value=1.0, start=None, reason=None, run="r1", **other):
    row = {
        "run_id": run,
        "model": model,
        "dataset": "d",
        "track": track,
        "target": "vocals",
        "reference_set": "vocals+other",
        "protocol": "bsseval-v4",
        "metric": "SDR",
        "metric_version": 1,
        "band_lo_hz": np.nan,
        "band_hi_hz": np.nan,
        "start_s": np.nan if start is None else float(start),
        "duration_s": np.nan if start is None else 1.0,
        "value": np.nan if value is None else value,
        "reason": reason,
    }
    return {**row, **other}


def frame(*rows):
    made = pd.DataFrame(list(rows))
    return made.astype(dict.fromkeys(("model", "track", "reason", "run_id"), "category"))


def test_frames_are_summed_up_over_those_that_have_a_value():
    scores = frame(
        score(value=1.0, start=0),
        score(value=None, start=1, reason="silent_reference"),
        score(value=2.0, start=2),
        score(value=9.0, start=3, reason="ill_conditioned"),
        score(value=None, start=4, reason="silent_estimate"),
        score(value=None, start=5, reason="silent_reference"),
    )
    row = per_track(scores).iloc[0]
    assert (row["value"], row["frames"], row["missing"]) == (2.0, 6, 3)
    assert row["reason"] == "silent_reference"
    assert row["ill_conditioned"] == row["distrusted"] == pytest.approx(1 / 3)
    assert per_track(scores, "mean").iloc[0]["value"] == pytest.approx(4.0)


def test_a_track_without_any_value_stays_as_a_row_with_its_reason():
    scores = frame(score(value=None, reason="separation_failed"), score(track="t2", value=3.0))
    table = per_track(scores).set_index("track")
    assert np.isnan(table.loc["t1", "value"])
    assert table.loc["t1", "reason"] == "separation_failed"
    assert pd.isna(table.loc["t2", "reason"])


def test_bands_stay_apart_and_broadband_is_one_of_them():
    scores = frame(
        score(value=1.0),
        score(value=2.0, band_lo_hz=20.0, band_hi_hz=40.0),
        score(value=3.0, band_lo_hz=40.0, band_hi_hz=80.0),
    )
    assert sorted(per_track(scores)["value"]) == [1.0, 2.0, 3.0]


def test_an_unknown_summary_is_refused():
    with pytest.raises(UsageError, match="median"):
        per_track(frame(score()), "maximum")


def test_the_newest_run_speaks_for_a_model():
    scores = frame(
        score(value=1.0, run="20260101"),
        score(value=5.0, run="20260201"),
        score(track="t2", value=2.0, run="20260101"),
    )
    table = per_track(scores).set_index("track")["value"]
    assert table.to_dict() == {"t1": 5.0, "t2": 2.0}
    assert len(per_track(scores, runs="each")) == 3
    back = newest(scores, order=["20260201", "20260101"])
    assert sorted(back["value"]) == [1.0, 2.0]


def test_frames_of_an_older_run_do_not_mix_with_the_newer_one():
    old = [score(value=0.0, start=k, run="a") for k in range(4)]
    new = [score(value=10.0, start=k, run="b") for k in range(3)]
    row = per_track(frame(*old, *new)).iloc[0]
    assert (row["value"], row["frames"]) == (10.0, 3)


def test_only_frames_that_every_model_has_are_kept():
    scores = frame(
        score("m:a", value=1.0, start=0),
        score("m:a", value=2.0, start=1),
        score("m:b", value=None, start=0, reason="silent_estimate"),
        score("m:b", value=4.0, start=1),
        score("m:a", track="t2", value=5.0, start=0),
    )
    kept = intersect_frames(scores)
    assert sorted(kept["value"]) == [2.0, 4.0]


def test_a_model_that_lacks_a_target_altogether_takes_nothing_away():
    scores = frame(
        score("m:a", value=1.0),
        score("m:b", value=2.0),
        score("m:a", target="drums", value=3.0),
    )
    assert len(intersect_frames(scores)) == 3


def test_wide_refuses_what_does_not_share_a_scale():
    table = per_track(frame(score(value=1.0), score(value=2.0, reference_set="four")))
    with pytest.raises(UsageError, match="reference_set"):
        wide(table)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from([None, "x", "y"]),
            st.one_of(st.none(), st.floats(-50, 50)),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_grouping_agrees_with_pandas(rows):
    made = pd.DataFrame(rows, columns=["k", "l", "value"]).astype({"value": float})
    groups = group_by(made, ["k", "l"])
    values = made["value"].to_numpy()
    expected = made.groupby(["k", "l"], dropna=False)["value"]
    ours = (
        made[["k", "l"]]
        .iloc[groups.first]
        .assign(median=groups.median(values), mean=groups.mean(values), size=groups.sizes())
    )
    for (key, other), theirs in expected:
        row = ours[
            (ours["k"] == key) & (ours["l"].eq(other) | (ours["l"].isna() & pd.isna(other)))
        ].iloc[0]
        assert row["size"] == len(theirs)
        assert row["median"] == pytest.approx(theirs.median(), nan_ok=True)
        assert row["mean"] == pytest.approx(theirs.mean(), nan_ok=True)


def test_grouping_by_more_combinations_than_fit_an_integer():
    generator = np.random.default_rng(0)
    columns = [f"c{k}" for k in range(12)]
    made = pd.DataFrame({name: generator.permutation(500) for name in columns})
    doubled = pd.concat([made, made], ignore_index=True)
    assert group_by(doubled, columns).count == 500
