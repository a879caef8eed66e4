"""Wilcoxon's test of many rows against SciPy's, with gaps, ties and zeros."""

import numpy as np
import pytest
import scipy.stats

from benchbench.stats.signed_ranks import signed_ranks


@pytest.mark.parametrize("count", [8, 49, 51, 400])
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_p_equals_that_of_scipy(count: int, digits: int) -> None:
    rng = np.random.default_rng(count + digits)
    rows = np.round(rng.normal(0.3, 1.0, (5, count)), digits)
    rows[1, ::3] = np.nan
    rows[2, 0] = -0.0
    p, effect = signed_ranks(rows)
    for place, row in enumerate(rows):
        values = row[~np.isnan(row)]
        want = scipy.stats.wilcoxon(values, zero_method="zsplit")
        assert p[place] == pytest.approx(want.pvalue, rel=1e-12)
        ranks = scipy.stats.rankdata(np.abs(values))
        signed = (ranks * np.sign(values)).sum() / (len(values) * (len(values) + 1) / 2)
        assert effect[place] == pytest.approx(signed, rel=1e-12)


def test_rows_without_a_difference_or_a_value() -> None:
    p, effect = signed_ranks(np.array([[0.0, -0.0, np.nan], [np.nan] * 3, [2.0, np.nan, -np.nan]]))
    assert p[0] == 1.0
    assert effect[0] == 0.0
    assert np.isnan([p[1], effect[1]]).all()
    assert (p[2], effect[2]) == (1.0, 1.0)
