"""Differences of shown numbers: against brute force, with gaps, and their coverage."""

from __future__ import annotations

import numpy as np
import pytest

from benchbench.stats import ShownNumbers


@pytest.mark.parametrize("summary", ["mean", "median"])
def test_draws_are_the_numbers_of_the_same_resampled_tracks(summary: str) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(3, 12))
    values[1, 4] = np.nan
    shown = ShownNumbers.of(values, summary, resamples=50, seed=7)  # type: ignore[arg-type]
    picks = np.random.default_rng(7).integers(0, 12, size=(50, 12))
    how = np.nanmean if summary == "mean" else np.nanmedian
    assert shown.numbers == pytest.approx(how(values, axis=1))
    for draw in (0, 49):
        assert shown.draws[:, draw] == pytest.approx(how(values[:, picks[draw]], axis=1))
    between = shown.difference(0, 1)
    assert between.difference == pytest.approx(shown.numbers[0] - shown.numbers[1])
    low, high = np.quantile(shown.draws[0] - shown.draws[1], [0.025, 0.975])
    assert (between.interval.low, between.interval.high) == pytest.approx((low, high))


def test_a_model_without_values_has_no_interval() -> None:
    shown = ShownNumbers.of([[1.0, 2.0], [np.nan, np.nan]])
    found = shown.difference(0, 1)
    assert np.isnan([found.difference, found.interval.low, found.interval.high]).all()


def test_intervals_of_medians_cover_the_true_difference() -> None:
    rng = np.random.default_rng(3)
    held, trials = 0, 200
    for _ in range(trials):
        hard = rng.normal(6, 3, 40)
        pair = np.stack([hard + 1 + rng.normal(0, 1, 40), hard + rng.normal(0, 1, 40)])
        interval = ShownNumbers.of(pair, "median", resamples=400).difference(0, 1).interval
        held += interval.low <= 1 <= interval.high
    assert held / trials > 0.88


@pytest.mark.parametrize("summary", ["mean", "median"])
@pytest.mark.parametrize("tracks", [1, 2, 7, 300])
def test_all_draws_of_tied_values_with_gaps_are_those_of_brute_force(
    summary: str, tracks: int
) -> None:
    rng = np.random.default_rng(tracks)
    values = np.round(rng.normal(size=(5, tracks)), 1)
    values[rng.random(values.shape) < 0.2] = np.nan
    shown = ShownNumbers.of(values, summary, resamples=200, seed=3)  # type: ignore[arg-type]
    picks = np.random.default_rng(3).integers(0, tracks, size=(200, tracks))
    drawn = values[:, picks]
    empty = np.isnan(drawn).all(axis=2)
    how = np.nanmean if summary == "mean" else np.nanmedian
    expected = np.where(empty, np.nan, how(np.where(empty[..., None], 0.0, drawn), axis=2))
    np.testing.assert_allclose(shown.draws, expected, rtol=1e-12, atol=1e-13)


def test_no_models_have_no_numbers() -> None:
    shown = ShownNumbers.of(np.empty((0, 5)))
    assert shown.numbers.shape == (0,)
    assert shown.draws.shape[0] == 0
