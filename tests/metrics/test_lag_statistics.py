"""The references' lag statistics and those with the estimates come from one pass."""

from __future__ import annotations

import numpy as np
import pytest

from benchbench import metrics
from benchbench.metrics.bsseval import frame_correlations
from benchbench.metrics.bsseval.frame_correlations import estimate_lags, reference_lags
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.framing import Framing
from benchbench.metrics.references import References

RATE, LAGS = 2000, 64


def stems(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal((2, 5 * RATE + 123)) / 10 for name in ("vocals", "drums")}


@pytest.fixture
def transforms(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each segment of references that is transformed."""
    counted: list[int] = []
    real = frame_correlations.history_spectra

    def count(x: np.ndarray, lags: int) -> np.ndarray:
        counted.append(x.shape[1])
        return real(x, lags)

    monkeypatch.setattr(frame_correlations, "history_spectra", count)
    return counted


@pytest.mark.parametrize("hop", [RATE, RATE // 2])
@pytest.mark.parametrize("threads", [1, 2])
def test_one_pass_gives_the_bits_of_two(hop: int, threads: int) -> None:
    references, estimates = stems(1), stems(2)
    apart = References(references, RATE, threads=threads)
    framing = Framing(apart.samples, RATE, hop)
    own = reference_lags(apart, framing, LAGS)
    cross = estimate_lags(Evaluation(apart, estimates), framing, LAGS)
    together = References(references, RATE, threads=threads, cache_bytes=0)
    same = estimate_lags(Evaluation(together, estimates), framing, LAGS)
    assert np.ptp(cross.frames) > 0
    for one, other in ((own, reference_lags(together, framing, LAGS)), (cross, same)):
        np.testing.assert_array_equal(one.frames, other.frames)
        np.testing.assert_array_equal(one.whole, other.whole)


@pytest.mark.parametrize("first", ["bsseval-v4", "bsseval-v3", "bleed", "bsseval-sources"])
def test_references_are_transformed_once_for_one_model(first: str, transforms: list[int]) -> None:
    wanted = [first, "bsseval-v4", "bleed", "bsseval-sources"]
    metrics.evaluate(stems(1), stems(2), RATE, wanted)
    assert transforms == [RATE] * 5 + [123]


def test_a_further_model_uses_the_spectra_that_are_kept(transforms: list[int]) -> None:
    kept, computed_again = References(stems(1), RATE), References(stems(1), RATE, cache_bytes=0)
    for references, count in ((kept, 6), (computed_again, 12)):
        transforms.clear()
        for seed in (2, 3):
            metrics.evaluate(references, stems(seed), "bsseval-v4")
        assert len(transforms) == count
