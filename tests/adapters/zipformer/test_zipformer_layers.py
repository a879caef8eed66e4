"""Every layer against a plain NumPy evaluation of its formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from zipformer_keras.configuration import LayerShape
from zipformer_keras.network.attention import AttentionWeights, NonlinAttention, SelfAttention
from zipformer_keras.network.convolution import Convolution
from zipformer_keras.network.embedding import ConvEmbed, ConvMask
from zipformer_keras.network.encoder import Stack, ZipformerLayer
from zipformer_keras.network.features import Standardize, features
from zipformer_keras.network.layers import BiasNorm, Bypass, FeedForward, swoosh_l, swoosh_r
from zipformer_keras.network.positions import chunk_mask, compact_positions
from zipformer_keras.network.time_resampling import Downsample, upsample

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    """Every test draws the same numbers, whichever ran before."""
    RNG.bit_generator.state = np.random.default_rng(3).bit_generator.state


SEQUENCES, FRAMES, WIDTH = 3, 7, 8


def sound(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape or (SEQUENCES, FRAMES, WIDTH)).astype(np.float32)


def filled(layer: Any, *inputs: Any, **named: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A layer's output with random weights, and these weights by name."""
    layer(*inputs, **named)
    weights = {}
    for variable in layer.weights:
        noise = RNG.standard_normal(tuple(variable.shape))
        value = (np.asarray(variable) + 0.2 * noise).astype(np.float32)
        variable.assign(value)
        weights[variable.path.partition("/")[2]] = np.asarray(value, np.float64)
    return np.asarray(layer(*inputs, **named), np.float64), weights


def softmax(x: np.ndarray) -> np.ndarray:
    power = np.exp(x - x.max(axis=-1, keepdims=True))
    return power / power.sum(axis=-1, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def plain_swoosh_r(x: np.ndarray) -> np.ndarray:
    return np.log(1 + np.exp(x - 1)) - 0.08 * x - 0.313261687


def plain_swoosh_l(x: np.ndarray) -> np.ndarray:
    return np.log(1 + np.exp(x - 4)) - 0.08 * x - 0.035


@pytest.mark.parametrize(
    ("layer", "plain"), [(swoosh_r, plain_swoosh_r), (swoosh_l, plain_swoosh_l)]
)
def test_swoosh(layer: Callable[..., Any], plain: Callable[..., Any]) -> None:
    x = np.linspace(-20, 20, 81, dtype=np.float32)
    np.testing.assert_allclose(np.asarray(layer(x)), plain(x.astype(float)), atol=2e-6)
    assert abs(float(layer(np.float32(0.0)))) < 0.02


def test_bias_norm() -> None:
    x = sound()
    found, w = filled(BiasNorm(), x)
    energy = ((x - w["bias"]) ** 2).mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(found, x * energy**-0.5 * np.exp(w["log_scale"]), rtol=1e-5)


def test_bias_norm_limits_its_scale() -> None:
    layer = BiasNorm()
    layer(sound())
    layer.log_scale.assign(9.0)
    found = np.asarray(layer(np.ones((1, 1, WIDTH), np.float32)))
    np.testing.assert_allclose(found, np.exp(1.5), rtol=1e-5)


def test_bypass() -> None:
    a, b = sound(), sound()
    layer = Bypass()
    layer(a, b)
    layer.scale.assign([-1.0, 0.0, 0.1, 0.2, 0.5, 0.9, 1.0, 2.0])
    c = np.array([0.2, 0.2, 0.2, 0.2, 0.5, 0.9, 1.0, 1.0])
    np.testing.assert_allclose(np.asarray(layer(a, b)), a + c * (b - a), rtol=1e-5, atol=1e-6)


def plain_forward(x: np.ndarray, w: dict[str, np.ndarray], name: str = "") -> np.ndarray:
    hidden = plain_swoosh_l(x @ w[f"{name}in/kernel"] + w[f"{name}in/bias"])
    return hidden @ w[f"{name}out/kernel"] + w[f"{name}out/bias"]


def test_feed_forward() -> None:
    x = sound()
    found, w = filled(FeedForward(12), x)
    np.testing.assert_allclose(found, plain_forward(x, w), atol=1e-5)


def test_compact_positions() -> None:
    table = compact_positions(4)
    assert table.shape == (7, 48)
    for row, distance in zip(table, range(-3, 4), strict=True):
        bent = np.sqrt(48) * np.sign(distance) * np.log(abs(distance) / np.sqrt(48) + 1)
        angle = np.arctan(bent / (48 / (2 * np.pi)))
        np.testing.assert_allclose(row[:-1:2], np.cos(np.arange(1, 25) * angle), atol=1e-6)
        np.testing.assert_allclose(row[1:-1:2], np.sin(np.arange(1, 24) * angle), atol=1e-6)
        assert row[-1] == 1.0
    np.testing.assert_array_equal(compact_positions(4, 6)[2:], table)


def plain_weights(
    x: np.ndarray, w: dict[str, np.ndarray], heads: int, query: int, name: str = ""
) -> np.ndarray:
    """Attention weights, one query, key and head at a time."""
    size, table = heads * query, compact_positions(x.shape[1]).astype(float)
    projected = x @ w[f"{name}in/kernel"] + w[f"{name}in/bias"]
    embedded = table @ w[f"{name}position/kernel"]
    scores = np.empty((x.shape[0], heads, x.shape[1], x.shape[1]))
    for h in range(heads):
        q = projected[..., h * query : (h + 1) * query]
        k = projected[..., size + h * query : size + (h + 1) * query]
        p = projected[..., 2 * size + 4 * h : 2 * size + 4 * (h + 1)]
        for i in range(x.shape[1]):
            for j in range(x.shape[1]):
                e = embedded[j - i + x.shape[1] - 1, 4 * h : 4 * (h + 1)]
                scores[:, h, i, j] = (q[:, i] * k[:, j]).sum(axis=-1) + p[:, i] @ e
    return softmax(scores)


def test_attention_weights() -> None:
    x = sound()
    found, w = filled(AttentionWeights(2, 3), x)
    np.testing.assert_allclose(found, plain_weights(x, w, 2, 3), atol=1e-5)


def test_attention_sees_only_its_chunk_and_some_before() -> None:
    seen = chunk_mask(7, 2, 1)
    assert seen[4].tolist() == [False, False, True, True, True, True, False]
    found, _ = filled(AttentionWeights(2, 3), sound(), seen=seen[None, None])
    assert (found[:, :, ~seen] == 0).all()
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-5)


def plain_attention(
    x: np.ndarray, a: np.ndarray, w: dict[str, np.ndarray], width: int, name: str = ""
) -> np.ndarray:
    values = x @ w[f"{name}in/kernel"] + w[f"{name}in/bias"]
    moved = [a[:, h] @ values[..., h * width : (h + 1) * width] for h in range(a.shape[1])]
    return np.concatenate(moved, axis=-1) @ w[f"{name}out/kernel"] + w[f"{name}out/bias"]


def plain_nonlin(
    x: np.ndarray, a: np.ndarray, w: dict[str, np.ndarray], name: str = ""
) -> np.ndarray:
    s, v, y = np.split(x @ w[f"{name}in/kernel"] + w[f"{name}in/bias"], 3, axis=-1)
    return (a[:, 0] @ (np.tanh(s) * v)) * y @ w[f"{name}out/kernel"] + w[f"{name}out/bias"]


def test_self_attention_and_nonlin_attention() -> None:
    x, a = sound(), softmax(sound(SEQUENCES, 2, FRAMES, FRAMES))
    found, w = filled(SelfAttention(2, 5), x, a)
    np.testing.assert_allclose(found, plain_attention(x, a, w, 5), atol=1e-5)
    found, w = filled(NonlinAttention(), x, a)
    assert w["in/kernel"].shape == (8, 18)
    np.testing.assert_allclose(found, plain_nonlin(x, a, w), atol=1e-5)


def plain_convolution(x: np.ndarray, w: dict[str, np.ndarray], name: str = "") -> np.ndarray:
    value, gate = np.split(x @ w[f"{name}in/kernel"] + w[f"{name}in/bias"], 2, axis=-1)
    gated, kernel = value * sigmoid(gate), w[f"{name}centred"]
    half, mixed = len(kernel) // 2, np.zeros_like(gated)
    for i in range(gated.shape[1]):
        for tap, weight in enumerate(kernel):
            if 0 <= i + tap - half < gated.shape[1]:
                mixed[:, i] += weight * gated[:, i + tap - half]
    mixed = plain_swoosh_r(mixed + w[f"{name}bias"])
    return mixed @ w[f"{name}out/kernel"] + w[f"{name}out/bias"]


def test_convolution() -> None:
    x = sound()
    found, w = filled(Convolution(5), x)
    np.testing.assert_allclose(found, plain_convolution(x, w), atol=1e-5)


def test_live_convolution_hears_nothing_of_later_chunks() -> None:
    layer, x = Convolution(5, chunk=3), sound()
    before, w = filled(layer, x)
    assert w["causal"].shape == (3, WIDTH)
    later = x.copy()
    later[:, 3:] += 1.0
    after = np.asarray(layer(later))
    np.testing.assert_array_equal(after[:, :3], before[:, :3].astype(np.float32))
    assert np.abs(after[:, 3:] - before[:, 3:]).max(axis=(0, 2)).min() > 1e-3
    earlier = x.copy()
    earlier[:, 2] += 1.0
    assert np.abs(np.asarray(layer(earlier))[:, 3] - before[:, 3]).max() > 1e-3


def test_downsample_repeats_the_last_and_upsample_cuts() -> None:
    x = sound()
    layer = Downsample(4)
    layer(x)
    layer.bias.assign([0.0, 1.0, -1.0, 0.5])
    c = softmax(np.array([0.0, 1.0, -1.0, 0.5]))
    padded = np.concatenate([x, x[:, -1:]], axis=1).reshape(SEQUENCES, 2, 4, WIDTH)
    found = np.asarray(layer(x))
    np.testing.assert_allclose(found, np.einsum("nglc,l->ngc", padded, c), atol=1e-6)
    back = np.asarray(upsample(found, 4, FRAMES))
    np.testing.assert_array_equal(back, np.repeat(found, 4, axis=1)[:, :FRAMES])


def test_the_modules_of_a_layer_come_in_the_papers_order() -> None:
    x = sound()
    sizes = LayerShape(WIDTH, heads=2, query_width=3, value_width=5, feedforward=16, kernel=5)
    found, w = filled(ZipformerLayer(sizes), x)
    a = plain_weights(x, w, 2, 3, "weights/")
    y = x + plain_forward(x, w, "forward_1/")
    y = y + plain_nonlin(y, a, w, "nonlin/")
    y = y + plain_attention(y, a, w, 5, "attention_1/")
    y = y + plain_convolution(y, w, "convolution_1/")
    y = y + plain_forward(y, w, "forward_2/")
    y = x + np.clip(w["middle/scale"], 0.2, 1) * (y - x)
    y = y + plain_attention(y, a, w, 5, "attention_2/")
    y = y + plain_convolution(y, w, "convolution_2/")
    y = y + plain_forward(y, w, "forward_3/")
    energy = ((y - w["norm/bias"]) ** 2).mean(axis=-1, keepdims=True)
    y = y * energy**-0.5 * np.exp(np.clip(w["norm/log_scale"], -1.5, 1.5))
    y = x + np.clip(w["bypass/scale"], 0.2, 1) * (y - x)
    np.testing.assert_allclose(found, y, atol=2e-4)
    assert [w[f"forward_{n}/in/bias"].size for n in (1, 2, 3)] == [12, 16, 20]


def test_a_stack_works_at_its_rate() -> None:
    stack, x = Stack(2, 2, LayerShape(WIDTH, 2, 3, 5, 16, 3)), sound()
    filled(stack, x)
    slow = stack.down(x)
    assert slow.shape == (SEQUENCES, 4, WIDTH)
    for layer in stack.inner:
        slow = layer(slow)
    fast = np.repeat(np.asarray(slow), 2, axis=1)[:, :FRAMES]
    c = np.clip(np.asarray(stack.bypass.scale), 0.2, 1)
    np.testing.assert_allclose(np.asarray(stack(x)), x + c * (fast - x), atol=1e-4)


def test_a_stack_at_the_full_rate_is_its_layers() -> None:
    stack, x = Stack(1, 2, LayerShape(WIDTH, 2, 3, 5, 16, 3)), sound()
    found, weights = filled(stack, x)
    assert {name.partition("/")[0] for name in weights} == {"time_0", "time_1"}
    np.testing.assert_allclose(found, np.asarray(stack.inner[1](stack.inner[0](x))), atol=1e-6)


def test_features_are_fourth_roots_of_the_magnitudes() -> None:
    left, right = sound(1, 5, 6) + 1j * sound(1, 5, 6), sound(1, 5, 6) + 1j * sound(1, 5, 6)
    energies = (np.abs(left) ** 2, np.abs(right) ** 2, (left * right.conj()).real)
    found = np.asarray(features(np.stack(energies, axis=2).astype(np.float32)))
    seen = (left, right, (left + right) / 2, (left - right) / 2)
    magnitudes = np.abs(np.stack(seen, axis=2))
    np.testing.assert_allclose(found, magnitudes**0.25, atol=1e-4)


def test_standardize_measures_every_feature_of_every_cell() -> None:
    layer, x = Standardize(), 3.0 + 2.0 * sound(2, 500, 4, 5)
    layer(x)
    layer.adapt(x)
    found = np.asarray(layer(x))
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 0.0, atol=1e-3)
    np.testing.assert_allclose(found.std(axis=(0, 1)), 1.0, atol=2e-2)


def end(frame: int, chunk: int | None) -> int:
    """The frame before which lies all that a frame sees."""
    return FRAMES if chunk is None else min(FRAMES, (frame // chunk + 1) * chunk)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0.1 * x)


@pytest.mark.parametrize("chunk", [None, 3])
def test_conv_embed(chunk: int | None) -> None:
    x = sound(2, FRAMES, 16, 3)
    layer = ConvEmbed((4, 5), WIDTH, chunk)
    layer(x)
    for variable in layer.weights:
        variable.assign(sound(*variable.shape) if len(variable.shape) else 0.3)
    found, levels = layer(x)
    w = {v.path.partition("/")[2]: np.asarray(v, np.float64) for v in layer.weights}
    seen = x.astype(float)
    for index, level in enumerate(levels):
        kernel, cells = w[f"kernel_{index}"], seen.shape[2] // 2
        out = np.zeros((2, FRAMES, cells, kernel.shape[-1])) + w[f"bias_{index}"]
        for frame in range(FRAMES):
            for cell in range(cells):
                for t in range(3):
                    for f in range(3):
                        at, bin_ = frame + t - 1, 2 * cell + f
                        if 0 <= at < end(frame, chunk) and bin_ < seen.shape[2]:
                            out[:, frame, cell] += seen[:, at, bin_] @ kernel[t, f]
        seen = leaky(out)
        np.testing.assert_allclose(np.asarray(level), seen, rtol=1e-4, atol=1e-4)
    joined = seen.reshape(2, FRAMES, -1) @ w["join/kernel"] + w["join/bias"]
    np.testing.assert_allclose(np.asarray(found), joined, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("chunk", [None, 3])
def test_conv_mask(chunk: int | None) -> None:
    x, levels = sound(2, FRAMES, WIDTH), [sound(2, FRAMES, 8, 4), sound(2, FRAMES, 4, 5)]
    layer = ConvMask((4, 5), 16, 6, chunk)
    layer(x, levels)
    for variable in layer.weights:
        variable.assign(sound(*variable.shape))
    w = {v.path.partition("/")[2]: np.asarray(v, np.float64) for v in layer.weights}
    expected = (x @ w["part/kernel"] + w["part/bias"]).reshape(2, FRAMES, 4, 5)
    for index in (1, 0):
        seen, kernel = leaky(expected + levels[index]), w[f"kernel_{index}"]
        expected = np.zeros((2, FRAMES, 2 * seen.shape[2], kernel.shape[2])) + w[f"bias_{index}"]
        for frame in range(FRAMES):
            for cell in range(seen.shape[2]):
                for t in range(3):
                    for f in range(3):
                        at, bin_ = frame + t - 1, 2 * cell + f
                        if at < 0 or at >= FRAMES or bin_ >= expected.shape[2]:
                            continue
                        if frame < end(at, chunk):
                            expected[:, at, bin_] += seen[:, frame, cell] @ kernel[t, f].T
    found = np.asarray(layer(x, levels)[0])
    np.testing.assert_allclose(found, expected.transpose(0, 1, 3, 2), rtol=1e-4, atol=1e-4)
