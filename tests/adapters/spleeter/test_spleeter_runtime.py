"""Both engines give the same, and requests that do not go together are refused."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
from spleeter_keras.architecture import FRAMES
from spleeter_keras.engines import make_runtime

VARIETIES = [
    (("leaky_relu", "relu"), "sigmoid", 2, 256),
    (("elu", "elu"), "sigmoid", 4, 128),
    (("elu", "elu"), "softmax", 5, 192),
]


@pytest.mark.parametrize(("activations", "output", "stems", "bins"), VARIETIES)
@pytest.mark.parametrize("masks", [False, True])
def test_the_engines_agree(tiny, random, activations, output, stems, bins, masks):
    configuration = replace(
        tiny,
        stems=tuple(f"stem{i}" for i in range(stems)),
        activations=activations,
        output=output,
        bins=bins,
    )
    weights = random(configuration)
    loud = np.random.default_rng(0).lognormal(-2, 2, (2, FRAMES, bins)).astype(np.float32)
    loud[:, 100:120] = 0
    results = []
    for name in ("keras", "onnx"):
        runtime = make_runtime(configuration, weights.items(), masks=masks, runtime=name)
        results.append(runtime.run(loud))
        assert runtime.parameters == sum(value.size for value in weights.values())
    keras, onnx = results
    assert keras.shape == onnx.shape == (stems, 2, FRAMES, bins)
    assert keras.dtype == onnx.dtype == np.float32
    scale = 1.0 if masks else loud
    assert np.abs((keras - onnx) / np.maximum(scale, 1e-3)).max() < 2e-4
    if masks:
        np.testing.assert_allclose(onnx.sum(axis=0), 1.0, atol=1e-5)
        np.testing.assert_allclose(onnx[:, :, 110], 1 / stems, rtol=1e-5)


def test_requests_that_do_not_go_together_are_refused(tiny, tiny_weights):
    def make(**how):
        return make_runtime(tiny, tiny_weights.items(), masks=True, **how)

    with pytest.raises(ValueError, match="runtime must be one of auto, onnx, keras"):
        make(runtime="torch")
    with pytest.raises(ValueError, match="with device 'gpu' use 'keras'"):
        make(runtime="onnx", device="gpu")


def test_without_onnx_runtime_tensorflow_does_it(tiny, tiny_weights, monkeypatch):
    real = importlib.util.find_spec
    hidden = {"onnx", "onnxruntime"}
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name in hidden else real(name)
    )
    runtime = make_runtime(tiny, tiny_weights.items(), masks=True)
    assert type(runtime).__name__ == "KerasRuntime"


@pytest.mark.parametrize("how", [{"runtime": "keras"}, {"device": "gpu"}])
def test_without_tensorflow_the_command_that_installs_it_is_named(
    tiny, tiny_weights, monkeypatch, how
):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "tensorflow" else real(name)
    )
    with pytest.raises(ValueError, match=r"pip install 'benchbench-audio\[tensorflow\]'"):
        make_runtime(tiny, tiny_weights.items(), masks=True, **how)
