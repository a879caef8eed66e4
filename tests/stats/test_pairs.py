import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchbench.errors import NothingToCompareError, UsageError
from benchbench.stats import holm, paired, pairwise

# Area under the ROC curve of two decision tree learners on 14 data sets: table 2 of Demšar (2006).
C45 = [
    0.763,
    0.599,
    0.954,
    0.628,
    0.882,
    0.936,
    0.661,
    0.583,
    0.775,
    1.0,
    0.940,
    0.619,
    0.972,
    0.957,
]
C45_M = [
    0.768,
    0.591,
    0.971,
    0.661,
    0.888,
    0.931,
    0.668,
    0.583,
    0.838,
    1.0,
    0.962,
    0.666,
    0.981,
    0.978,
]


def by_track(values):
    return pd.Series(values, index=[f"t{index:03d}" for index in range(len(values))], dtype=float)


def rows(**models):
    parts = [
        pd.DataFrame({"model": name, "track": series.index, "value": series.to_numpy()})
        for name, series in models.items()
    ]
    same = {"dataset": "d", "target": "vocals", "reference_set": "r", "protocol": "usdr"}
    return pd.concat(parts).assign(
        **same, metric="SDR", metric_version=1, band_lo_hz=np.nan, band_hi_hz=np.nan
    )


def test_published_example_of_the_signed_rank_test():
    result = paired(by_track(C45), by_track(C45_M))
    # R+ = 93 and R- = 12 in the paper, of 105 in all; z = (12 - 52.5) / sqrt(14 15 29 / 24)
    assert result.effect == pytest.approx((93 - 12) / 105)
    assert result.p < 0.05
    z = (12 - 52.5) / np.sqrt(14 * 15 * 29 / 24)
    assert result.p == pytest.approx(2 * stats.norm.cdf(z), abs=0.002)
    assert result.win_rate == pytest.approx(11 / 14)  # ten wins, two ties that count half


def test_fields_against_scipy_on_continuous_values():
    generator = np.random.default_rng(0)
    a, b = by_track(generator.normal(6, 3, 40)), by_track(generator.normal(6.4, 3, 40))
    result = paired(a, b)
    difference = (b - a).to_numpy()
    assert result.n == 40
    assert result.difference == pytest.approx(difference.mean())
    assert result.p == pytest.approx(stats.wilcoxon(difference).pvalue, rel=1e-6)
    wins = int((difference > 0).sum())
    assert result.sign_p == pytest.approx(stats.binomtest(wins, 40).pvalue)
    interval = stats.bootstrap(
        (difference,), np.mean, n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert result.interval.low == pytest.approx(interval.low, abs=0.06)
    assert result.interval.high == pytest.approx(interval.high, abs=0.06)


def test_forty_tracks_with_the_usual_spread_find_six_tenths_of_a_decibel():
    generator = np.random.default_rng(2)
    noise = generator.normal(0, 1, 40)
    noise = 1.4 * (noise - noise.mean()) / noise.std(ddof=1)
    result = paired(by_track(np.zeros(40)), by_track(noise))
    assert result.detectable == pytest.approx(0.64, abs=0.01)


def test_the_detectable_difference_is_found_in_four_of_five_cases():
    generator = np.random.default_rng(3)
    detectable = paired(by_track(np.zeros(50)), by_track(generator.normal(0, 1.4, 50))).detectable
    draws = generator.normal(detectable, 1.4, (400, 50))
    found = (stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean()
    assert 0.7 < found < 0.9


def test_tracks_that_only_one_has_are_left_out():
    a = by_track([1.0, 2.0, np.nan, 4.0])
    b = by_track([1.5, 2.5, 3.5, np.nan]).drop("t000")
    assert paired(a, b).n == 1
    with pytest.raises(NothingToCompareError) as caught:
        paired(a, b.rename(lambda name: "other " + name))
    assert caught.value.exit_code == 3


def test_equal_models_differ_by_nothing():
    values = by_track(np.random.default_rng(4).normal(6, 3, 30))
    result = paired(values, values + 1e-12)
    assert (result.p, result.sign_p, result.effect, result.win_rate) == (1.0, 1.0, 0.0, 0.5)
    assert result.difference == 0.0


def test_holm_on_an_example_worked_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([0.02, np.nan]) == pytest.approx([0.02, np.nan], nan_ok=True)


def test_pairwise_agrees_with_each_pair_on_its_own():
    generator = np.random.default_rng(5)
    hard = generator.normal(0, 3, 30)
    series = {name: by_track(hard + generator.normal(k, 1, 30)) for k, name in enumerate("xyz")}
    series["y"].iloc[3] = np.nan
    table = pairwise(rows(**series)).set_index(["a", "b"])
    assert list(table.index) == [("x", "y"), ("x", "z"), ("y", "z")]
    for (a, b), row in table.iterrows():
        alone = paired(series[a], series[b])
        assert (row["n"], row["difference"]) == (alone.n, pytest.approx(alone.difference))
        assert row["p"] == pytest.approx(alone.p)
    assert list(table["p_holm"]) == pytest.approx(list(holm(table["p"])))


def test_rows_of_two_protocols_never_share_a_column():
    one = rows(x=by_track([1.0]), y=by_track([2.0]))
    with pytest.raises(UsageError, match="protocol"):
        pairwise(pd.concat([one, one.assign(protocol="si")]))


def test_the_interval_of_a_pair_does_not_depend_on_the_order_of_tracks():
    rng = np.random.default_rng(6)
    names = [f"t{k}" for k in range(15)]
    a, b = (pd.Series(rng.normal(5, 3, 15), index=names) for _ in "ab")
    turned = rng.permutation(15)
    one, other = paired(a, b).interval, paired(a.iloc[turned], b).interval
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12)


@pytest.mark.parametrize("count", [51, 200, 3000])
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_many_differences_have_the_p_and_effect_of_scipy(count, digits):
    rng = np.random.default_rng(count)
    values = np.round(rng.normal(0.1, 1.0, count), digits)
    zero = pd.Series(np.zeros(count))
    found = paired(zero, pd.Series(values), resamples=10)
    expected = stats.wilcoxon(values, zero_method="zsplit")
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    ranks = stats.rankdata(np.abs(values))
    assert found.effect == pytest.approx((ranks * np.sign(values)).sum() / ranks.sum(), rel=1e-12)


def test_pairs_without_intervals_have_the_same_tests():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "model": np.repeat(["a", "b", "c"], 20),
        "track": np.tile(np.arange(20).astype(str), 3),
        "value": rng.normal(size=60),
    })  # fmt: skip
    full, bare = pairwise(table), pairwise(table, intervals=False)
    assert bare["lo"].isna().all()
    pd.testing.assert_frame_equal(full.drop(columns=["lo", "hi"]), bare.drop(columns=["lo", "hi"]))
