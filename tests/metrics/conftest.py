"""Short synthetic tracks whose scores are moderate, for tests against peers and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import signal

Stems = dict[str, np.ndarray]


def make_track(
    sources: int = 3, channels: int = 2, samples: int = 12_345, seed: int = 0
) -> tuple[Stems, Stems]:
    """References of coloured noise, and estimates with leakage, a filter and noise."""
    rng = np.random.default_rng(seed)
    references, estimates = {}, {}
    for index in range(sources):
        noise = rng.standard_normal((channels, samples))
        colour = [1.0, 0.9 * np.cos(index + 1), 0.4]
        references[f"source{index}"] = 0.1 * signal.lfilter([1.0], colour, noise)
    mixture = sum(references.values())
    for index, (name, reference) in enumerate(references.items()):
        filtered = signal.lfilter([0.9, 0.1 * index, 0.05], [1.0], reference)
        noise = rng.standard_normal(reference.shape)
        estimates[name] = filtered + 0.05 * mixture + 0.01 * noise
    return references, estimates


@pytest.fixture(scope="session")
def track() -> Callable[..., tuple[Stems, Stems]]:
    return make_track
