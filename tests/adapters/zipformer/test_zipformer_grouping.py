"""Kernels that depend on the song: nothing at first, the same in ONNX, different for each song."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from zipformer_keras.configuration import Configuration, Grown
from zipformer_keras.onnx.graph import build_graph
from zipformer_keras.runtime import OnnxRuntime
from zipformer_keras.shapes import weight_shapes

Networks = dict[str, Configuration]
Make = Callable[..., Any]
FRAMES = 12


@pytest.fixture
def base(networks: Networks) -> Configuration:
    return networks["offline"]


def test_the_graph_equals_the_layers(
    base: Configuration, make_network: Make, make_cells: Make
) -> None:
    added = replace(base, grouping=True)
    network, weights = make_network(added)
    first, second = (make_cells(added, FRAMES, seed) for seed in (1, 2))
    expected = np.asarray(network(np.stack([first, second])))
    runtime = OnnxRuntime(build_graph(added, weights, FRAMES))
    for x, masks in zip((first, second), expected, strict=True):
        np.testing.assert_allclose(runtime.run(x), masks, atol=2e-5)


def test_with_zeros_the_masks_are_those_of_the_network(
    base: Configuration, make_network: Make, make_cells: Make
) -> None:
    network, weights = make_network(base)
    x = make_cells(base, FRAMES)
    added = replace(base, grouping=True)
    rng = np.random.default_rng(0)
    more = {n: np.zeros(s, np.float32) for n, s in weight_shapes(added).items() if n not in weights}
    more["grouping/tokens"] = rng.standard_normal(more["grouping/tokens"].shape).astype(np.float32)
    before = np.asarray(network(x[None])[0])
    runtime = OnnxRuntime(build_graph(added, weights | more, FRAMES))
    np.testing.assert_allclose(runtime.run(x), before, atol=1e-5)
    more["grouping/kernel"] += 0.1
    assert (
        np.abs(OnnxRuntime(build_graph(added, weights | more, FRAMES)).run(x) - before).max() > 1e-3
    )


def test_grouping_needs_a_whole_song_and_the_networks_own_stems(base: Configuration) -> None:
    with pytest.raises(ValueError, match="cannot run live"):
        replace(base, grouping=True, chunk=4)
    with pytest.raises(ValueError, match="cannot get another stem"):
        replace(base, grouping=True, grown=Grown("guitar", "other"))
