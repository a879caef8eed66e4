import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchbench.errors import NothingToCompareError
from benchbench.stats import critical_difference, friedman

# Table 6 of Demšar (2006): four variants of C4.5 on 14 data sets.
TABLE = pd.DataFrame(
    {
        "C4.5": [4, 1, 4, 4, 4, 1, 3, 2.5, 4, 2.5, 4, 3, 4, 3],
        "m": [3, 2, 1, 1, 2, 2.5, 2, 2.5, 3, 2.5, 2.5, 2, 1, 1],
        "cf": [2, 3, 2, 3, 3, 4, 4, 4, 2, 2.5, 1, 4, 2, 4],
        "m+cf": [1, 4, 3, 2, 1, 2.5, 1, 1, 1, 2.5, 2.5, 1, 3, 2],
    }
)


def test_published_average_ranks_and_critical_difference():
    result = critical_difference(TABLE, direction="lower")
    assert result.ranks.to_dict() == pytest.approx(
        {"m+cf": 1.964, "m": 2.0, "cf": 2.893, "C4.5": 3.143}, abs=5e-4
    )
    assert list(result.ranks.index) == ["m+cf", "m", "cf", "C4.5"]
    assert result.cd == pytest.approx(1.25, abs=0.005)
    assert critical_difference(TABLE, alpha=0.1).cd == pytest.approx(1.12, abs=0.005)
    assert result.groups == (("m+cf", "m", "cf", "C4.5"),)
    assert critical_difference(TABLE, alpha=0.1, direction="lower").groups == (
        ("m+cf", "m", "cf"),
        ("cf", "C4.5"),
    )


def test_friedman_agrees_with_scipy_and_with_the_paper():
    result = friedman(TABLE)
    theirs = stats.friedmanchisquare(*TABLE.to_numpy().T)
    assert result.statistic == pytest.approx(theirs.statistic)
    assert result.p == pytest.approx(theirs.pvalue)
    # The paper's 9.28 is not corrected for ties; the correction divides by the share of variance
    # that ties leave, and the paper's F of 3.69 follows from its own chi-square.
    ranks = TABLE.mean().to_numpy()
    plain = 12 * 14 / (4 * 5) * ((ranks**2).sum() - 4 * 5**2 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)
    _, counts = np.unique(TABLE.to_numpy() + 10 * np.arange(14)[:, None], return_counts=True)
    correction = 1 - (counts**3 - counts).sum() / (14 * 4 * (4**2 - 1))
    assert result.statistic == pytest.approx(plain / correction)
    f = 13 * result.statistic / (14 * 3 - result.statistic)
    assert result.f_statistic == pytest.approx(f)
    assert result.f_p == pytest.approx(stats.f.sf(f, 3, 39))
    assert (result.tracks, result.models) == (14, 4)


def test_higher_is_better_turns_the_ranks_round():
    up = critical_difference(TABLE)
    down = critical_difference(-TABLE, direction="lower")
    pd.testing.assert_series_equal(up.ranks, down.ranks)


def test_tracks_that_a_model_misses_are_left_out():
    gappy = TABLE.copy()
    gappy.iloc[:4, 1] = np.nan
    assert friedman(gappy).tracks == 10


def test_models_that_always_tie_do_not_differ():
    flat = pd.DataFrame(np.repeat(np.arange(5.0)[:, None], 3, axis=1))
    assert friedman(flat).p == 1.0


def test_too_few_models_or_tracks_is_said():
    with pytest.raises(NothingToCompareError, match="at least 3 models"):
        friedman(TABLE[["m", "cf"]])
    with pytest.raises(NothingToCompareError):
        critical_difference(TABLE.iloc[:1])
