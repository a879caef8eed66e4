"""What the tests of the Zipformer adapter share: its folder on the path, small random networks."""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
FOLDER = Path(__file__).resolve().parents[3] / "adapters" / "zipformer"
if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))

with warnings.catch_warnings():
    # TensorFlow's own modules warn while they load; what the adapter does afterwards may not.
    warnings.simplefilter("ignore", DeprecationWarning)
    import keras  # noqa: F401
    import tensorflow as tf  # noqa: F401

from zipformer_keras.configuration import Cells, Configuration, cell_count  # noqa: E402
from zipformer_keras.runtime import build_keras  # noqa: E402
from zipformer_keras.weights import assign, collect  # noqa: E402

SMALL = Configuration(
    width=16,
    heads=2,
    query_width=4,
    feedforward=16,
    stacks=((1, 1), (2, 1), (4, 1)),
    groups=(Cells(112), Cells(16, bins=8)),
    embed=(6, 8),
    time_kernel=5,
    frame=512,
    step=128,
)
NETWORKS = {"offline": SMALL, "live": replace(SMALL, chunk=4, left=2)}


def random_network(configuration: Configuration, seed: int = 0) -> tuple[Any, dict[str, Any]]:
    """A network whose every weight is random, so that none can be ignored unseen."""
    network, weights = _random_network(configuration, seed)
    return network, {name: array.copy() for name, array in weights.items()}


@cache
def _random_network(configuration: Configuration, seed: int) -> tuple[Any, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    network = build_keras(configuration)
    weights = {}
    for name, array in collect(network).items():
        spread = 0.1 if array.ndim < 2 else 0.5 * array.shape[-2] ** -0.5
        noise = spread * rng.standard_normal(array.shape)
        if name.endswith("deviation"):
            noise = np.abs(noise) + 0.5
        weights[name] = (array + noise).astype(np.float32)
    assign(network, weights)
    return network, weights


def random_cells(configuration: Configuration, frames: int, seed: int = 1) -> np.ndarray:
    """Cells of a random stereo spectrum, loud and soft."""
    rng = np.random.default_rng(seed)
    count = cell_count(configuration.groups)
    loud = 10.0 ** rng.uniform(-3, 0, (frames, 1, count))
    parts = rng.standard_normal((2, frames, 2, count)) * loud
    left, right = (parts[0] + 1j * parts[1]).transpose(1, 0, 2)
    energies = (np.abs(left) ** 2, np.abs(right) ** 2, (left * right.conj()).real)
    return np.stack(energies, axis=1).astype(np.float32)


@pytest.fixture(params=sorted(NETWORKS))
def configuration(request: pytest.FixtureRequest) -> Configuration:
    """Both kinds of networks, small."""
    chosen: Configuration = NETWORKS[request.param]
    return chosen


@pytest.fixture(scope="session")
def networks() -> dict[str, Configuration]:
    """Kinds of networks by name."""
    return NETWORKS


@pytest.fixture(scope="session")
def make_network() -> Any:
    """See `random_network`."""
    return random_network


@pytest.fixture(scope="session")
def make_cells() -> Any:
    """See `random_cells`."""
    return random_cells
