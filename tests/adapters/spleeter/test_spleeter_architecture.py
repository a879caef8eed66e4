"""The networks against an evaluation in NumPy that shares no line with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.special
from scipy.signal import correlate2d
from spleeter_keras.architecture import FRAMES, Configuration, build_network, variable_shapes
from spleeter_keras.checkpoint import assign_weights

BINS = 64


def strided(x, kernel, bias):
    """SAME convolution of stride 2: 5 taps on an even size need one zero before, two after."""
    padded = np.pad(x, ((1, 2), (1, 2), (0, 0)))
    return correlate(padded, kernel)[::2, ::2] + bias


def transposed(x, kernel, bias):
    """The adjoint: zeros between the samples, then the kernel flipped and crossed over."""
    rows, columns, inputs = x.shape
    spread = np.zeros((2 * rows + 3, 2 * columns + 3, inputs))
    spread[3 : 3 + 2 * rows : 2, 3 : 3 + 2 * columns : 2] = x
    flipped = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    full = np.pad(spread, ((0, 4), (0, 4), (0, 0)))
    return correlate(full, flipped)[: 2 * rows, : 2 * columns] + bias


def dilated(x, kernel, bias):
    rows, columns = x.shape[:2]
    padded = np.pad(x, ((3, 3), (3, 3), (0, 0)))
    out = np.zeros((rows, columns, kernel.shape[3]))
    for i in range(4):
        for j in range(4):
            out += padded[2 * i : 2 * i + rows, 2 * j : 2 * j + columns] @ kernel[i, j]
    return out + bias


def correlate(x, kernel):
    planes = [
        sum(correlate2d(x[..., i], kernel[:, :, i, o], mode="valid") for i in range(x.shape[2]))
        for o in range(kernel.shape[3])
    ]
    return np.stack(planes, axis=-1)


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}


def evaluate(configuration, weights, magnitudes):
    def name(kind, number):
        return f"{kind}_{number}" if number else kind

    def layer(kind, number):
        return (weights[f"{name(kind, number)}/{part}"] for part in ("kernel", "bias"))

    def normalized(x, number):
        gamma, beta, mean, variance = (
            weights[f"{name('batch_normalization', number)}/{part}"]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta

    encoder, decoder = (ACTIVATIONS[a] for a in configuration.activations)
    logits = []
    for i in range(len(configuration.stems)):
        x, skips = magnitudes, []
        for n in range(6):
            raw = strided(x, *layer("conv2d", 7 * i + n))
            skips.append(raw)
            x = encoder(normalized(raw, 12 * i + n))
        x = skips.pop()
        for n in range(6):
            x = transposed(x, *layer("conv2d_transpose", 6 * i + n))
            x = normalized(decoder(x), 12 * i + 6 + n)
            if skips:
                x = np.concatenate([skips.pop(), x], axis=-1)
        logits.append(dilated(x, *layer("conv2d", 7 * i + 6)))
    stacked = np.stack(logits)
    if configuration.output == "softmax":
        return scipy.special.softmax(stacked, axis=0) * magnitudes
    return scipy.special.expit(stacked) * magnitudes


@pytest.mark.parametrize(
    ("activations", "output"),
    [
        (("leaky_relu", "relu"), "sigmoid"),
        (("elu", "elu"), "sigmoid"),
        (("elu", "elu"), "softmax"),
    ],
)
def test_networks_compute_what_the_formulas_say(tiny, random, activations, output):
    configuration = replace(tiny, activations=activations, output=output, bins=BINS)
    weights = random(configuration)
    network = build_network(configuration)
    assign_weights(network, weights.items())
    magnitudes = np.abs(np.random.default_rng(3).standard_normal((FRAMES, BINS, 2)))
    expected = evaluate(configuration, weights, magnitudes)
    got = np.asarray(network(magnitudes[None].astype(np.float32), training=False))[:, 0]
    assert got.shape == (2, FRAMES, BINS, 2)
    np.testing.assert_allclose(got, expected, atol=3e-5)
    assert expected.std() > 0.1


def test_every_layer_has_a_place_in_the_checkpoint(tiny):
    names = {
        f"{layer.name}/{v.name}" for layer in build_network(tiny).layers for v in layer.weights
    }
    stored = {n for n in names if not n.startswith("dropout")}
    unused = {
        n
        for n in variable_shapes(tiny)
        if n.startswith(("batch_normalization_5/", "batch_normalization_17/"))
    }
    assert stored == set(variable_shapes(tiny)) - unused


def test_a_variant_is_immutable(tiny):
    assert isinstance(tiny, Configuration)
    with pytest.raises(AttributeError):
        tiny.bins = 5
