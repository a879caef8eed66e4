"""Counts of draws: sums, streams, and patterns of missing values."""

import numpy as np

from benchbench.stats.resampling import resampling


def test_every_resample_draws_as_many_tracks_as_there_are() -> None:
    drawn = resampling(300, 50, 7, "int64")
    assert drawn.counts.dtype == np.uint8
    assert (drawn.counts.sum(axis=1, dtype=int) == 300).all()
    whole = np.concatenate([weights for _, weights in drawn.weights()])
    assert (whole == drawn.counts).all()


def test_draws_are_those_of_the_generator() -> None:
    drawn = resampling(1, 3, 7, "int32")
    assert drawn.counts.tolist() == [[1], [1], [1]]
    rng = np.random.default_rng(5)
    picks = rng.integers(0, 2, size=(40, 2), dtype=np.int64)
    expected = [[int((row == track).sum()) for track in (0, 1)] for row in picks]
    assert resampling(2, 40, 5, "int64").counts.tolist() == expected


def test_drawn_tracks_with_a_value_are_counted_once_per_pattern() -> None:
    drawn = resampling(20, 30, 1, "int32")
    present = np.random.default_rng(0).random((20, 6)) < 0.7
    present[:, 3] = present[:, 0]
    present[:, 4] = True
    for _ in range(2):  # the second time from the kept counts
        counted = drawn.with_value(present)
        assert (counted == drawn.counts.astype(int) @ present).all()
