"""Per-track tables that are kept compactly hold the same rows as the plain ones."""

import numpy as np
import pandas as pd

from benchbench.reporting.data.track_rows import TrackRows, compact, track_rows


def table(model: str, tracks: list[str], values: list[float]) -> pd.DataFrame:
    count = len(tracks)
    frame = pd.DataFrame(
        {
            "model": [model] * count,
            "track": tracks,
            "reason": [None if value == value else "silent_reference" for value in values],
            "band_lo_hz": [np.nan] * count,
            "band_hi_hz": [np.nan] * count,
            "value": values,
            "frames": [1] * count,
            "missing": [int(value != value) for value in values],
            "ill_conditioned": [0.0] * count,
            "distrusted": [0.0] * count,
        }
    )
    frame["mean"] = frame["value"]
    return frame.astype(dict.fromkeys(("model", "track", "reason"), "category"))


def rows(*tables: pd.DataFrame) -> TrackRows:
    return track_rows(compact(one) for one in tables)


def test_columns_with_one_value_store_it_once() -> None:
    part = rows(table("a", [f"{k:03d}" for k in range(1000)], list(range(1000)))).parts[0]
    for name in ("band_lo_hz", "frames", "missing", "ill_conditioned"):
        assert part[name].to_numpy().strides == (0,), name
    assert part["model"].array.codes.strides == (0,)
    assert np.shares_memory(part["value"].to_numpy(), part["mean"].to_numpy())


def test_the_whole_table_is_that_of_the_models_one_after_the_other() -> None:
    tables = [
        table("b", ["z", "x", "y"], [1.0, np.nan, 3.0]),
        table("a", ["x", "w"], [4.0, 5.0]),
        table("c", [], []),
    ]
    kept = rows(*tables)
    assert len(kept) == 5
    assert kept.present("model") == ["a", "b"]
    whole = kept.whole()
    plain = pd.concat([one.astype(object) for one in tables], ignore_index=True)
    for name in plain:
        left, right = whole[name].astype(object), plain[name]
        assert left.isna().equals(right.isna()), name
        assert left.dropna().tolist() == right.dropna().tolist(), name
    assert list(whole["track"].cat.categories) == ["w", "x", "y", "z"]
    assert {str(whole[name].dtype) for name in ("frames", "missing")} == {"int32"}


def test_rows_that_meet_a_condition() -> None:
    kept = rows(table("b", ["z", "x", "y"], [1.0, np.nan, 3.0]), table("a", ["x", "w"], [4.0, 5.0]))
    assert kept.where(lambda part: part["track"] == "x")["model"].tolist() == ["b", "a"]
    assert kept.where(lambda part: part["value"] > 9).empty
    assert kept.of_models(["a"]).whole()["value"].tolist() == [4.0, 5.0]
    assert len(kept.of_models(["none"])) == 0
