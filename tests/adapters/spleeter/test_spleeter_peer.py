"""Against the original, which runs live in an environment of its own.

``BENCHBENCH_SPLEETER_PYTHON`` names the Python that has it; ``tox -e spleeter-peer`` sets it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.timeout(1800)]

BENCHMARK = Path(__file__).resolve().parents[3] / "benchmarks" / "spleeter.py"
LARGEST = 2e-5


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_of_spleeter", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def sides(benchmark):
    python = os.environ.get("BENCHBENCH_SPLEETER_PYTHON")
    if not python:
        pytest.fail("BENCHBENCH_SPLEETER_PYTHON names no Python that has spleeter 2.4.2")
    return (
        benchmark.Side("ours", sys.executable, BENCHMARK.with_name("spleeter_ours.py")),
        benchmark.Side("original", python, BENCHMARK.with_name("spleeter_original.py")),
    )


@pytest.fixture(scope="module")
def models(benchmark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    benchmark.random_models(folder, ("2stems", "4stems", "5stems"))
    return folder


@pytest.mark.parametrize(
    "variant", ["2stems", "2stems-16kHz", "4stems", "4stems-16kHz", "5stems", "5stems-16kHz"]
)
def test_every_case_equals_the_originals(benchmark, sides, models, tmp_path, variant):
    found = list(benchmark.compare_outputs(sides, models, [variant], tmp_path))
    assert len(found) == 6
    for _, case, (largest, peak) in found:
        assert largest <= LARGEST * max(peak, 1.0), case
        assert peak > 0.01


def test_the_wiener_filter_is_the_originals(benchmark, sides, models, tmp_path):
    source = benchmark.store(tmp_path / "song.npy", benchmark.music(15))
    outputs = []
    for side in sides:
        output = tmp_path / f"{side.name}.npz"
        side.run(models, [benchmark.job("2stems", source, output, mwf=True)], tmp_path)
        outputs.append(np.load(output))
    ours, original = outputs
    for name in original.files:
        # The original inverts covariances in single precision, which shows in silent bins.
        error = np.sum((ours[name] - original[name]) ** 2) / np.sum(original[name] ** 2)
        assert 10 * np.log10(error) < -40, name


@pytest.mark.parametrize("variant", ["2stems", "2stems-16kHz"])
def test_the_published_weights_sound_as_in_the_original(
    benchmark, sides, published_weights, tmp_path, variant
):
    models = tmp_path / "models"
    benchmark.published_models(models, published_weights)
    found = list(benchmark.compare_outputs(sides, models, [variant], tmp_path))
    assert len(found) == 6
    for _, case, (largest, peak) in found:
        assert largest <= LARGEST * max(peak, 1.0), case
        assert peak > 0.01
