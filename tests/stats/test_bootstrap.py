import numpy as np
import pytest
from scipy import stats

from benchbench.stats import bootstrap_interval
from benchbench.stats.bootstrap import (
    _acceleration_of_medians,
    _draws_of_medians,
    bootstrap_columns,
)


def skewed(n, seed=0):
    return np.random.default_rng(seed).gamma(2.0, 1.5, n)


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("n", [20, 51])
def test_interval_agrees_with_scipy_within_the_noise_of_resampling(statistic, n):
    values = skewed(n)
    function = {"mean": np.mean, "median": np.median}[statistic]
    theirs = stats.bootstrap(
        (values,), function, n_resamples=40_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_interval(values, statistic, resamples=40_000)
    width = theirs.high - theirs.low
    tolerance = (0.02 if statistic == "mean" else 0.04) * width
    assert ours.low == pytest.approx(theirs.low, abs=tolerance)
    assert ours.high == pytest.approx(theirs.high, abs=tolerance)


@pytest.mark.parametrize("n", [2, 3, 7, 8, 31])
def test_acceleration_of_a_median_equals_a_jackknife_done_by_hand(n):
    values = skewed(n, seed=n)
    left_out = np.array([np.median(np.delete(values, k)) for k in range(n)])
    influence = left_out.mean() - left_out
    expected = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    assert _acceleration_of_medians([np.sort(values)])[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [9, 10])
def test_medians_drawn_without_a_sample_follow_the_bootstrap_distribution(n):
    values = np.arange(float(n)) ** 2
    quick = _draws_of_medians([np.sort(values)], 40_000, seed=3)[:, 0]
    picks = np.random.default_rng(4).integers(0, n, (40_000, n))
    slow = np.median(values[picks], axis=1)
    grid = np.unique(np.concatenate([quick, slow]))
    gap = np.abs(
        np.searchsorted(np.sort(quick), grid, side="right")
        - np.searchsorted(np.sort(slow), grid, side="right")
    )
    assert gap.max() / 40_000 < 0.012  # the 99% bound of a two-sample Kolmogorov test is 0.0115


def test_the_mean_interval_covers_about_as_often_as_it_says():
    generator = np.random.default_rng(5)
    samples = generator.normal(1.0, 2.0, (40, 1000))
    low, high = bootstrap_columns(samples, "mean")
    covered = np.mean((low <= 1.0) & (high >= 1.0))
    assert 0.92 < covered < 0.97


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_values_that_are_all_equal_have_an_interval_of_no_width(statistic):
    interval = bootstrap_interval(np.full(12, 3.7), statistic)
    assert (interval.low, interval.high) == pytest.approx((3.7, 3.7))


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_one_value_has_no_interval(statistic):
    assert np.isnan(bootstrap_interval([1.0], statistic).low)
    assert np.isnan(bootstrap_interval([], statistic).high)


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_the_seed_decides_the_bounds(statistic):
    values = skewed(30)
    first = bootstrap_interval(values, statistic, seed=1)
    assert first == bootstrap_interval(values, statistic, seed=1)
    assert first != bootstrap_interval(values, statistic, seed=2)


def test_columns_are_independent_of_their_neighbours_and_of_gaps():
    whole = skewed(40)
    gappy = whole.copy()
    gappy[::4] = np.nan
    low, _ = bootstrap_columns(np.column_stack([whole, gappy]), "mean")
    alone, _ = bootstrap_columns(whole[:, None], "mean")
    assert low[0] == pytest.approx(alone[0])
    packed = bootstrap_interval(gappy, "mean", resamples=20_000)
    assert low[1] == pytest.approx(packed.low, abs=0.15)
