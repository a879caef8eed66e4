"""What the tests of the Spleeter adapter share: its folder on the path, small random networks."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from benchbench.plugins.catalog import Catalog
from benchbench.separation.weights import ensure_weights

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
FOLDER = Path(__file__).resolve().parents[3] / "adapters" / "spleeter"
if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))

with warnings.catch_warnings():
    # TensorFlow's own modules warn while they load; what the adapter does afterwards may not.
    warnings.simplefilter("ignore", DeprecationWarning)
    import keras  # noqa: F401
    import tensorflow as tf  # noqa: F401

from spleeter_keras.architecture import Configuration, variable_shapes  # noqa: E402

FILTERS = (2, 3, 3, 4, 4, 5)


def random_weights(configuration: Configuration, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights whose statistics are random too, so that none can be ignored unseen."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in variable_shapes(configuration).items():
        if name.endswith(("gamma", "moving_variance")):
            values = rng.uniform(0.5, 1.5, shape)
        elif name.endswith("kernel"):
            inputs = np.prod(shape) / shape[2 if "transpose" in name else 3]
            values = rng.standard_normal(shape) * np.sqrt(2 / inputs)
        else:
            values = 0.3 * rng.standard_normal(shape)
        weights[name] = values.astype(np.float32)
    return weights


@pytest.fixture(scope="session")
def tiny() -> Configuration:
    """2stems with a handful of filters: milliseconds a segment."""
    return Configuration(
        ("vocals", "accompaniment"), ("leaky_relu", "relu"), "sigmoid", 1024, FILTERS
    )


@pytest.fixture(scope="session")
def tiny_weights(tiny: Configuration) -> dict[str, np.ndarray]:
    return random_weights(tiny)


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    """Three segments and a bit of coloured stereo noise, float32 (2, samples)."""
    rng = np.random.default_rng(1)
    white = rng.standard_normal((2, 1_300_001)).astype(np.float32)
    return 0.05 * np.cumsum(white - 0.2 * white.mean(), axis=1) / 40 + 0.1 * white


@pytest.fixture(scope="session")
def random():
    """The function that draws weights for a configuration."""
    return random_weights


@pytest.fixture(scope="session")
def published_weights() -> Path:
    """The folder with the published 2stems checkpoint."""
    folder = ensure_weights(Catalog().model("spleeter:2stems"))
    assert folder is not None
    return folder
