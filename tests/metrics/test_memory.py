"""Memory does not follow the length of a track.

At a low rate, a track has as many frames as at any other, and costs a fraction of the time. What is
counted is what Python and NumPy allocate; maps of files do not count, as the system takes their
pages back.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from benchbench.metrics import evaluate, protocol
from benchbench.metrics.arrays import mapped_arrays as room
from benchbench.metrics.references import References

RATE = 1000
PROTOCOLS = ["usdr", "bsseval-v4", "si", "bands-octave", "windows", "bleed", "logwmse"]


def peak_mb(name: str, seconds: int, perfect: bool) -> float:
    rng = np.random.default_rng(0)
    stems = {k: rng.standard_normal((1, seconds * RATE)).astype(np.float32) for k in "ab"}
    stems = {k: np.cumsum(stem, axis=1, dtype=np.float32) / 1000 for k, stem in stems.items()}
    other = stems["b"] if perfect else stems["b"] + np.float32(0.1) * stems["a"]
    estimates = {"a": stems["a"] + np.float32(0.1) * stems["b"], "b": other}
    references = References(stems, RATE, cache_bytes=1 << 20)
    tracemalloc.start()
    try:
        evaluate(references, estimates, [protocol(name)])
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", PROTOCOLS)
def test_memory_does_not_follow_the_length(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MEMORY_BYTES", 1 << 20)
    monkeypatch.setattr("benchbench.metrics.bsseval.images._FORMS_AT_ONCE", 64)
    monkeypatch.setattr("benchbench.metrics.spectral.bands._WINDOWS", 64)
    monkeypatch.setattr("benchbench.metrics.ratios.scale_invariant._CHUNK", 20 * RATE)
    monkeypatch.setattr(
        "benchbench.metrics.spectral.logwmse.RATE", 2 * RATE
    )  # it resamples all the same
    short, long = (peak_mb(name, seconds, perfect=True) for seconds in (300, 600))
    assert long - short < 4.0  # the statistics by frame alone are 10 MB more


def test_an_array_on_disk_is_as_one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    small = room.mapped_zeros((3, 5))
    monkeypatch.setattr(room, "MEMORY_BYTES", 16)
    large = room.mapped_zeros((3, 5), np.float32)
    assert not small.any()
    assert not large.any()
    large[1] = 2.0
    assert (large.sum(), large.dtype, large.shape) == (10.0, np.float32, (3, 5))
