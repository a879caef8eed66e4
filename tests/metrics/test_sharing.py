"""Protocols that share one pass over the spectrograms have the values that each has alone."""

import numpy as np
import pytest

from benchbench import metrics
from benchbench.metrics.spectral.segments import Segment
from benchbench.metrics.spectral.stft import Stft

NAMES = ("spectral", "mrstft-perceptual", "msst")


def signals(rate: int, seconds: float, channels: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rate)
    shape = (channels, int(rate * seconds))
    stems = {name: np.cumsum(rng.standard_normal(shape), axis=1) for name in ("vocals", "other")}
    return {
        name: (0.3 * stem / np.abs(stem).max()).astype(np.float32) for name, stem in stems.items()
    }


@pytest.mark.parametrize(("rate", "kept"), [(44100, 1.0), (22050, 1.0), (44100, 0.9)])
def test_values_together_equal_those_alone(rate: int, kept: float) -> None:
    references = signals(rate, 3.3)  # more than one segment
    rng = np.random.default_rng(5)
    estimates = {
        name: (stem + 0.01 * rng.standard_normal(stem.shape)).astype(np.float32)[
            :, : int(kept * stem.shape[1])
        ]
        for name, stem in references.items()
    }
    together = metrics.evaluate(references, estimates, rate, list(NAMES))
    for name in NAMES:
        alone = metrics.evaluate(references, estimates, rate, name)[name]
        assert len(alone) >= 2
        for one, other in zip(alone, together[name], strict=True):
            assert (one.target, one.metric) == (other.target, other.metric)
            assert np.isfinite(one.values).all()
            np.testing.assert_array_equal(one.values, other.values)
            assert one.reasons.tolist() == other.reasons.tolist()


def test_each_transform_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[tuple[int, Stft, int | None]] = []
    plain = Segment.batches

    def counted(segment, transform):
        computed.append((segment.start, transform.stft, transform.weighted))
        return plain(segment, transform)

    monkeypatch.setattr(Segment, "batches", counted)
    references = signals(44100, 1.0)
    estimates = {"vocals": 0.9 * references["vocals"]}
    metrics.evaluate(references, estimates, 44100, list(NAMES))
    assert len(computed) == len(set(computed)) == 10
    alone = 0
    for name in NAMES:
        computed.clear()
        metrics.evaluate(references, estimates, 44100, name)
        alone += len(computed)
    assert alone == 4 + 5 + 8
