"""The solver against dense linear algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchbench.metrics.bsseval.correlations import (
    block_spectra,
    correlate,
    history_spectra,
    straddle,
)
from benchbench.metrics.bsseval.toeplitz import ToeplitzSystem


def lags_of(signals, count):
    samples = signals.shape[1]
    out = np.zeros((count, len(signals), len(signals)))
    for lag in range(min(count, samples)):
        out[lag] = signals[:, : samples - lag] @ signals[:, lag:].T
    return out


def dense(lags):
    count, size, _ = lags.shape
    matrix = np.empty((count, size, count, size))
    for i in range(count):
        for j in range(count):
            matrix[i, :, j] = lags[i - j] if i >= j else lags[j - i].T
    return matrix.reshape(count * size, count * size)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 4), st.integers(1, 3))
def test_solutions_are_those_of_dense_algebra(seed, count, size, stack):
    rng = np.random.default_rng(seed)
    lags = np.stack([lags_of(rng.standard_normal((size, 400)), count) for _ in range(stack)])
    right = rng.standard_normal((stack, count, size, 2))
    system = ToeplitzSystem.of(lags)
    assert not system.ridge.any()
    found = system.solve(right)
    for s in range(stack):
        matrix = dense(lags[s])
        expected = np.linalg.solve(matrix, right[s].reshape(-1, 2))
        np.testing.assert_allclose(found[s].reshape(-1, 2), expected, rtol=1e-9, atol=1e-12)
        assert 0.1 < system.condition[s] / np.linalg.cond(matrix, 1) < 1.0 + 1e-6


def test_a_singular_system_gets_a_ridge_and_its_neighbours_do_not():
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((2, 300))
    dependent = np.stack([signals[0], signals[0]])
    lags = np.stack([lags_of(signals, 20), lags_of(dependent, 20)])
    system = ToeplitzSystem.of(lags)
    assert system.ridge[0] == 0
    assert 0 < system.ridge[1] <= 1e-8
    assert np.isinf(system.condition[1])
    right = lags[:, :, :, :1].copy()
    residual = dense(lags[1]) @ system.solve(right)[1].reshape(-1, 1) - right[1].reshape(-1, 1)
    assert np.abs(residual).max() < 1e-6 * np.abs(right).max()


def test_a_silent_signal_gets_no_filter():
    signals = np.random.default_rng(0).standard_normal((3, 300))
    signals[1] = 0
    lags = lags_of(signals, 20)
    right = lags[None, :, :, :1].copy()
    found = ToeplitzSystem.of(lags[None]).solve(right)[0]
    assert not found[:, 1].any()
    expected = ToeplitzSystem.of(lags[None][:, :, ::2, ::2]).solve(right[:, :, ::2])[0]
    np.testing.assert_allclose(found[:, ::2], expected, atol=1e-12)


@pytest.mark.parametrize("samples", [1, 7, 100, 5000])
@pytest.mark.parametrize("count", [2, 32, 512])
def test_lag_statistics_by_their_definition(samples, count):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, samples)), rng.standard_normal((3, samples))
    found = correlate(history_spectra(x, count), block_spectra(y, count), samples, count)
    expected = np.zeros((count, 2, 3))
    for lag in range(min(count, samples)):
        expected[lag] = x[:, : samples - lag] @ y[:, lag:].T
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_two_segments_and_what_straddles_them_make_the_whole():
    rng = np.random.default_rng(2)
    x, count, cut = rng.standard_normal((2, 300)), 64, 170

    def statistics(part):
        spectra = history_spectra(part, count), block_spectra(part, count)
        return correlate(*spectra, part.shape[1], count)

    joined = statistics(x[:, :cut]) + statistics(x[:, cut:])
    joined += straddle(x[:, cut - count + 1 : cut], x[:, cut : cut + count - 1], count)
    np.testing.assert_allclose(joined, statistics(x), atol=1e-10)
