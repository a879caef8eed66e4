"""The ONNX graph equals the Keras layers, and live mode equals the chunk-masked whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from zipformer_keras import VARIANTS, Separator, latency_samples
from zipformer_keras.configuration import Configuration
from zipformer_keras.onnx.graph import build_graph
from zipformer_keras.runtime import OnnxRuntime, make_runtime
from zipformer_keras.shapes import weight_shapes

RATE = 44_100
Networks = dict[str, Configuration]
Make = Callable[..., Any]
FRAMES = 22


def test_the_graph_equals_the_layers(
    networks: Networks, make_network: Make, make_cells: Make
) -> None:
    offline = networks["offline"]
    network, weights = make_network(offline)
    x = make_cells(offline, FRAMES)
    expected = np.asarray(network(x[None])[0])
    found = OnnxRuntime(build_graph(offline, weights, FRAMES)).run(x)
    assert expected.std() > 0.02
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_masks_share_the_mixture(networks: Networks, make_network: Make, make_cells: Make) -> None:
    network, _ = make_network(networks["offline"])
    masks = np.asarray(network(make_cells(networks["offline"], 9)[None]))
    np.testing.assert_allclose(masks.sum(axis=2), 1.0, atol=1e-5)


def test_streamed_chunks_equal_the_chunk_masked_whole(
    networks: Networks, make_network: Make, make_cells: Make
) -> None:
    live = networks["live"]
    network, weights = make_network(live)
    x = make_cells(live, FRAMES - FRAMES % 4 + 4)
    expected = np.asarray(network(x[None])[0])
    runtime = OnnxRuntime(build_graph(live, weights, 4))
    for _ in range(2):  # the second time after a restart
        found = np.concatenate([runtime.run(x[at : at + 4]) for at in range(0, len(x), 4)])
        np.testing.assert_allclose(found, expected, atol=1e-5)
        runtime.restart()


def test_a_live_network_hears_nothing_of_later_chunks(
    networks: Networks, make_network: Make, make_cells: Make
) -> None:
    network, _ = make_network(networks["live"])
    x = make_cells(networks["live"], 16)
    later = x.copy()
    later[8:] *= 3.0
    before, after = (np.asarray(network(each[None])[0]) for each in (x, later))
    np.testing.assert_array_equal(before[:8], after[:8])
    assert np.abs(before[8:] - after[8:]).max() > 1e-3


def test_streams_of_any_block_size_equal_the_whole(networks: Networks, make_network: Make) -> None:
    live = networks["live"]
    _, weights = make_network(live)
    separator = Separator(live, weights)
    rng = np.random.default_rng(0)
    song = rng.standard_normal((2, 30_000)).astype(np.float32) / 10
    whole = separator.separate(song, RATE)
    for size in (7_001, 512, 30_000):
        blocks = (song[:, at : at + size] for at in range(0, 30_000, size))
        streamed = list(separator.stream(blocks, RATE))
        for stem, expected in whole.items():
            found = np.concatenate([block[stem] for block in streamed], axis=1)
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_stream_keeps_its_latency(networks: Networks, make_network: Make) -> None:
    live = networks["live"]
    _, weights = make_network(live)
    separator, put, got = Separator(live, weights), [0], 0
    longest = 0

    def blocks():
        for _ in range(200):
            put[0] += 64
            yield np.full((2, 64), 0.1, np.float32)

    for block in separator.stream(blocks(), RATE):
        # The oldest sample of this block waited from its own arrival until now.
        longest = max(longest, put[0] - got)
        got += block["vocals"].shape[1]
    assert latency_samples(live) == 4 * 128 + 512 - 128
    assert longest == latency_samples(live)
    assert got == 200 * 64


def test_the_latencies_of_the_shipped_variants() -> None:
    milliseconds = {
        name: round(1000 * latency_samples(variant) / RATE)
        for name, variant in VARIANTS.items()
        if variant.chunk is not None
    }
    assert milliseconds == {"tiny-live": 255, "base-live": 255, "base-lowlatency": 81}
    with pytest.raises(ValueError, match="Only live variants"):
        latency_samples(VARIANTS["tiny"])


def test_parameters_of_the_variants() -> None:
    millions = {
        name: sum(np.prod(shape) for shape in weight_shapes(VARIANTS[name]).values()) / 1e6
        for name in VARIANTS
    }
    assert 2 * millions["tiny"] < 5.9  # megabytes in float16
    assert 39.3 / millions["base"] >= 4  # at most a quarter of Spleeter's four networks


def test_keras_runs_the_same_network(
    networks: Networks, make_network: Make, make_cells: Make
) -> None:
    offline = networks["offline"]
    _, weights = make_network(offline)
    x = make_cells(offline, 8)
    found = [make_runtime(offline, weights, 8, name, "cpu").run(x) for name in ("onnx", "keras")]
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_wrong_runtimes_are_refused(networks: Networks, make_network: Make) -> None:
    _, weights = make_network(networks["live"])
    with pytest.raises(ValueError, match="must be one of"):
        make_runtime(networks["live"], weights, 4, "torch", "cpu")
    with pytest.raises(ValueError, match="runs on the processor"):
        make_runtime(networks["live"], weights, 4, "onnx", "gpu")
    with pytest.raises(ValueError, match="ONNX Runtime only"):
        make_runtime(networks["live"], weights, 4, "keras", "cpu")
    with pytest.raises(ValueError, match="4 frames, not 5"):
        build_graph(networks["live"], weights, 5)
