"""Networks that start from the weights of another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from zipformer_keras import VARIANTS
from zipformer_keras.configuration import BYPASS_FLOOR, Configuration, cell_count
from zipformer_keras.runtime import build_keras
from zipformer_keras.training.starting import warm_start
from zipformer_keras.variants import TINY
from zipformer_keras.weights import assign, collect

Networks = dict[str, Configuration]


def test_an_offline_network_is_a_start_for_its_live_variant() -> None:
    offline = collect(build_keras(TINY))
    live = collect(build_keras(VARIANTS["tiny-live"]))
    started = warm_start(offline, live)
    assert started.keys() == live.keys()
    assert not started["stack_0/time_0/convolution_1/causal"].any()
    np.testing.assert_array_equal(started["embed/kernel_1"], offline["embed/kernel_1"])


def masks(configuration: Configuration, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    network = build_keras(configuration)
    assign(network, arrays)
    x = np.random.default_rng(1).random((1, 16, 3, cell_count(configuration.groups)))
    return np.asarray(network(x.astype(np.float32)))


def test_a_network_is_a_start_for_one_with_more_channels(networks: Networks) -> None:
    small = networks["offline"]
    large = replace(small, embed=tuple(2 * channels for channels in small.embed))
    given, drawn = (collect(build_keras(configuration)) for configuration in (small, large))
    started = warm_start(given, drawn)
    assert {n: a.shape for n, a in started.items()} == {n: a.shape for n, a in drawn.items()}
    np.testing.assert_allclose(masks(large, started), masks(small, given), atol=1e-6)
    assert np.abs(masks(large, drawn) - masks(small, given)).max() > 0.01
    # What is new can learn: the new channels are not silent.
    assert np.abs(started["embed/kernel_0"][..., small.embed[0] :]).min() > 0


def test_a_network_is_a_start_for_one_with_more_layers(networks: Networks) -> None:
    small = networks["offline"]
    stacks = tuple((factor, layers + 1) for factor, layers in small.stacks)
    large = replace(small, stacks=stacks)
    given, drawn = (collect(build_keras(configuration)) for configuration in (small, large))
    started = warm_start(given, drawn)
    assert started.keys() == drawn.keys()
    last = small.stacks[0][1]
    layer = f"stack_0/time_{last}"
    assert not started[f"{layer}/forward_1/out/kernel"].any()
    np.testing.assert_array_equal(started[f"{layer}/bypass/scale"], np.float32(BYPASS_FLOOR))
    np.testing.assert_array_equal(
        started[f"{layer}/norm/bias"], given[f"stack_0/time_{last - 1}/norm/bias"]
    )
    wanted, drawn_masks = masks(small, given), masks(large, drawn)
    assert np.abs(masks(large, started) - wanted).mean() < 0.2 * np.abs(drawn_masks - wanted).mean()


def test_a_smaller_network_and_another_kind_are_no_start(networks: Networks) -> None:
    small = networks["offline"]
    large = replace(small, embed=tuple(2 * channels for channels in small.embed))
    network = build_keras(small)
    with pytest.raises(ValueError, match="embed/bias_0 has the shape"):
        assign(network, warm_start(collect(build_keras(large)), collect(network)))
    # Arrays of a stranger's file, in shapes that no network has.
    for name, strange in {
        "embed/join/kernel": np.zeros(5, np.float32),
        "unembed/part/kernel": np.zeros((16, 5), np.float32),
        "embed/bias_1": np.zeros(0, np.float32),
        "embed/kernel_0": np.zeros((3, 3), np.float32),
    }.items():
        with pytest.raises(ValueError, match=name):
            assign(network, warm_start(collect(network) | {name: strange}, collect(network)))
    wide = build_keras(replace(small, width=2 * small.width))
    with pytest.raises(ValueError, match="embed/join"):
        assign(wide, warm_start(collect(network), collect(wide)))
