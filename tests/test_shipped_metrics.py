"""The metric folders that come along, with their real weights and packages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from benchbench.api.doctor import doctor

METRICS = Path(__file__).parents[1] / "metrics"


@pytest.mark.network
@pytest.mark.parametrize("name", ["zimtohrli", "dnsmos", "pitch", "embedding-mse", "fad"])
def test_shipped_metrics_keep_the_contract(name):
    checks = list(doctor(name))
    assert len(checks) >= 8
    assert [check for check in checks if not check.ok] == []


def load(name: str, file: str = "metric.py"):
    spec = importlib.util.spec_from_file_location(f"shipped_{name}", METRICS / name / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pitch_measures_are_mir_evals():
    melody = pytest.importorskip("mir_eval.melody")
    compared = load("pitch").compared
    rng = np.random.default_rng(0)
    true = rng.uniform(100, 800, 500)
    given = true * 2 ** (rng.normal(0, 40, 500) / 1200)
    sung, voiced = rng.random(500) < 0.7, rng.random(500) < 0.6
    found = compared((true, sung), (given, voiced))
    cents = [melody.hz2cents(hz) for hz in (true, given)]
    recall, false_alarm = melody.voicing_measures(sung.astype(float), voiced.astype(float))
    accuracy = melody.raw_pitch_accuracy(
        sung.astype(float), cents[0], voiced.astype(float), cents[1]
    )
    assert found["raw-pitch-accuracy"] == pytest.approx(accuracy, abs=1e-9)
    assert found["voicing-recall"] == pytest.approx(recall, abs=1e-9)
    assert found["voicing-false-alarm"] == pytest.approx(false_alarm, abs=1e-9)


def test_musicnns_parts_are_tensorflows():
    tensorflow = pytest.importorskip("tensorflow")
    network = load("embedding_mse", "embeddings_musicnn.py")
    rng = np.random.default_rng(0)
    values = rng.standard_normal((23, 12, 5)).astype(np.float32)
    kernel, bias = rng.standard_normal((3, 3, 5, 7)).astype(np.float32), np.ones(7, np.float32)
    theirs = tensorflow.nn.relu(tensorflow.nn.conv2d(values[None], kernel, 1, "SAME") + bias)[0]
    assert np.allclose(network._convolved(values, kernel, bias), theirs, atol=1e-4)
    pooled = tensorflow.nn.max_pool2d(values[None], (4, 1), (2, 2), "VALID")[0]
    assert np.array_equal(network._pooled(values, (4, 1), (2, 2)), pooled)


def test_frechet_distance_is_that_of_gaussians(monkeypatch):
    sys.path.insert(0, str(METRICS / "embedding_mse"))
    try:
        metric = load("embedding_mse")
    finally:
        sys.path.pop(0)
    rng = np.random.default_rng(0)
    one = rng.standard_normal((400, 3))
    metric._embed[:] = [lambda audio, rate: one + float(audio[0])]
    audio = [np.full((1, 2), level, np.float32) for level in (0.0, 2.0)]
    assert metric.frechet_distance(audio[0], audio[0], 1) == pytest.approx(0.0, abs=1e-9)
    assert metric.frechet_distance(*audio, 1) == pytest.approx(3 * 4.0, abs=1e-6)
    assert metric.measure(*audio, 1) == pytest.approx(4.0, abs=1e-6)


def test_a_metric_without_a_number_for_music_fails_its_check(tmp_path):
    folder = tmp_path / "metrics" / "mute"
    folder.mkdir(parents=True)
    manifest = (METRICS / "zimtohrli" / "metric.toml").read_text(encoding="utf-8")
    manifest = manifest.replace('name = "zimtohrli"', 'name = "mute"').partition("[runtime]")[0]
    (folder / "metric.toml").write_text(f"{manifest}[metrics.mute]\n")
    (folder / "metric.py").write_text(
        "def measure(reference, estimate, sample_rate):\n    return None\n"
    )
    failed = {check.name: check.detail for check in doctor(str(folder)) if not check.ok}
    assert failed == dict.fromkeys(
        ("music, stereo", "music, mono", "music at 48 kHz"), "no number for mute"
    )
