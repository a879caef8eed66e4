"""The networks of Spleeter: one U-Net an instrument, from magnitudes to magnitudes.

Only layers and shapes stand here; no file is read and no audio is touched. Layers carry the
names that the published checkpoints use, so that weights can be matched by name.

Source: Hennequin, Khlif, Voituret, Moussallam, "Spleeter: a fast and efficient music source
separation tool with pre-trained models", JOSS 5(50), 2020, and the published checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

FRAMES = 512
"""Frames in a segment: what a network sees at once, 11.9 s at 44.1 kHz."""

CHANNELS = 2
KERNEL = 5
OUTPUT_KERNEL = 4
DROPOUT = 0.5
DROPOUT_LAYERS = 3
EPSILON = 1e-3

_BINS = 1024
_BINS_16KHZ = 1536


@dataclass(frozen=True, slots=True)
class Configuration:
    """What distinguishes one variant of Spleeter from another.

    Parameters
    ----------
    stems
        Names of the stems, in the order of their networks in the checkpoint.
    activations
        Names of the encoder's and of the decoder's activation.
    output
        ``"sigmoid"``: every network masks on its own; ``"softmax"``: they share each bin.
    bins
        Frequency bins that the networks see, from 0 Hz upwards; a multiple of 64.
    filters
        Filters of the encoder's convolutions; the published networks have six.
    """

    stems: tuple[str, ...]
    activations: tuple[str, str]
    output: str
    bins: int = _BINS
    filters: tuple[int, ...] = (16, 32, 64, 128, 256, 512)

    def __post_init__(self) -> None:
        if self.output not in ("sigmoid", "softmax"):
            raise ValueError(f"output must be 'sigmoid' or 'softmax', not {self.output!r}.")
        step = 2 ** len(self.filters)
        if self.bins % step or FRAMES % step:
            raise ValueError(
                f"{len(self.filters)} halvings need bins and frames divisible by {step}; "
                f"there are {self.bins} bins and {FRAMES} frames."
            )


_TWO = Configuration(("vocals", "accompaniment"), ("leaky_relu", "relu"), "sigmoid")
_FOUR = Configuration(("vocals", "drums", "bass", "other"), ("elu", "elu"), "sigmoid")
_FIVE = Configuration(("vocals", "piano", "drums", "bass", "other"), ("elu", "elu"), "softmax")

VARIANTS: Mapping[str, Configuration] = MappingProxyType(
    {
        f"{name}{suffix}": replace(configuration, bins=bins)
        for name, configuration in (("2stems", _TWO), ("4stems", _FOUR), ("5stems", _FIVE))
        for suffix, bins in (("", _BINS), ("-16kHz", _BINS_16KHZ))
    }
    | {"synth": replace(_FOUR, filters=(6, 9, 18, 36, 70, 134))}
)
"""The published variants, and ``synth``, a small one that was trained here on generated songs.

A ``-16kHz`` variant has the weights of its namesake."""


def variable_shapes(configuration: Configuration) -> dict[str, tuple[int, ...]]:
    """Name and shape of every variable that a checkpoint of this configuration holds.

    Parameters
    ----------
    configuration
        The variant.

    Returns
    -------
    dict
        For instance ``{"conv2d_3/kernel": (5, 5, 64, 128), ...}``, in the networks' order,
        without ``global_step``. It includes the batch normalization after the deepest
        convolution, which the published graph computes and then does not use.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    depth = len(configuration.filters)
    down = (CHANNELS, *configuration.filters)
    up = (*reversed(configuration.filters[:-1]), 1)
    for index in range(len(configuration.stems)):
        for layer in range(depth):
            _add_convolution(
                shapes,
                convolution_name(index, depth, layer),
                (KERNEL, KERNEL, *down[layer : layer + 2]),
            )
            _add_normalization(shapes, normalization_name(index, depth, layer), down[layer + 1])
        for layer in range(depth):
            # Above the bottleneck an input is a skip connection beside the layer below.
            inputs = configuration.filters[depth - 1 - layer] * (1 if layer == 0 else 2)
            name = transpose_name(index, depth, layer)
            shapes[f"{name}/kernel"] = (KERNEL, KERNEL, up[layer], inputs)
            shapes[f"{name}/bias"] = (up[layer],)
            _add_normalization(shapes, normalization_name(index, depth, depth + layer), up[layer])
        _add_convolution(
            shapes,
            convolution_name(index, depth, depth),
            (OUTPUT_KERNEL, OUTPUT_KERNEL, 1, CHANNELS),
        )
    return shapes


def build_network(
    configuration: Configuration, *, initializer: str = "zeros", frames: int = FRAMES
) -> Any:
    """All U-Nets of a variant as one Keras model.

    Parameters
    ----------
    configuration
        The variant.
    initializer
        Keras' name of what fills the kernels. Drawing 20 million random numbers takes longer
        than reading them, so only training asks for that.
    frames
        Frames of a segment; training may want shorter ones. A multiple of 64.

    Returns
    -------
    keras.Model
        From magnitudes, float32 (batch, frames, bins, 2), to estimated magnitudes of each
        stem, float32 (stems, batch, frames, bins, 2).
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras runs on {keras.backend.backend()!r}; set KERAS_BACKEND=tensorflow, because "
            "the published weights are TensorFlow checkpoints."
        )
    magnitudes = keras.Input((frames, configuration.bins, CHANNELS), name="magnitudes")
    logits = [
        _unet(keras, configuration, index, magnitudes, initializer)
        for index in range(len(configuration.stems))
    ]
    stacked = keras.ops.stack(logits, axis=0)
    if configuration.output == "softmax":
        share = keras.ops.softmax(stacked, axis=0)
    else:
        share = keras.ops.sigmoid(stacked)
    estimates = share * keras.ops.expand_dims(magnitudes, 0)
    return keras.Model(magnitudes, estimates, name="spleeter")


def _unet(
    keras: Any, configuration: Configuration, index: int, magnitudes: Any, initializer: str
) -> Any:
    """Logits of one instrument, (batch, frames, bins, 2)."""
    shared = {"padding": "same", "kernel_initializer": initializer}
    layers = keras.layers
    depth = len(configuration.filters)
    encoder, decoder = (
        _activation(keras, name, index, side)
        for name, side in zip(configuration.activations, ("encoder", "decoder"), strict=True)
    )
    skips = []
    current = magnitudes
    for layer, filters in enumerate(configuration.filters):
        raw = layers.Conv2D(
            filters, KERNEL, strides=2, **shared, name=convolution_name(index, depth, layer)
        )(current)
        skips.append(raw)
        if layer < depth - 1:
            name = normalization_name(index, depth, layer)
            current = encoder(layers.BatchNormalization(epsilon=EPSILON, name=name)(raw))

    current = skips.pop()
    for layer, filters in enumerate((*reversed(configuration.filters[:-1]), 1)):
        name = transpose_name(index, depth, layer)
        current = layers.Conv2DTranspose(filters, KERNEL, strides=2, **shared, name=name)(current)
        name = normalization_name(index, depth, depth + layer)
        current = layers.BatchNormalization(epsilon=EPSILON, name=name)(decoder(current))
        if layer < DROPOUT_LAYERS:
            current = layers.Dropout(DROPOUT, name=f"dropout_{index}_{layer}")(current)
        if skips:
            current = layers.Concatenate(name=f"skip_{index}_{layer}")([skips.pop(), current])
    return layers.Conv2D(
        CHANNELS,
        OUTPUT_KERNEL,
        dilation_rate=2,
        **shared,
        name=convolution_name(index, depth, depth),
    )(current)


def _activation(keras: Any, name: str, index: int, side: str) -> Any:
    if name == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=0.2, name=f"{side}_{index}_leaky_relu")
    return keras.layers.Activation(name, name=f"{side}_{index}_{name}")


def _numbered(name: str, number: int) -> str:
    """TensorFlow 1 counted layers of a kind over the whole graph and left the first bare."""
    return f"{name}_{number}" if number else name


def convolution_name(index: int, depth: int, layer: int) -> str:
    """Name of a convolution of network `index`; its last, `depth`, makes the logits."""
    return _numbered("conv2d", (depth + 1) * index + layer)


def transpose_name(index: int, depth: int, layer: int) -> str:
    """Name of a transposed convolution of network `index`, from the bottleneck upwards."""
    return _numbered("conv2d_transpose", depth * index + layer)


def normalization_name(index: int, depth: int, layer: int) -> str:
    """Name of a batch normalization; `layer` counts through encoder and decoder."""
    return _numbered("batch_normalization", 2 * depth * index + layer)


def _add_convolution(
    shapes: dict[str, tuple[int, ...]], name: str, kernel: tuple[int, ...]
) -> None:
    shapes[f"{name}/kernel"] = kernel
    shapes[f"{name}/bias"] = kernel[-1:]


def _add_normalization(shapes: dict[str, tuple[int, ...]], name: str, channels: int) -> None:
    for part in ("gamma", "beta", "moving_mean", "moving_variance"):
        shapes[f"{name}/{part}"] = (channels,)
