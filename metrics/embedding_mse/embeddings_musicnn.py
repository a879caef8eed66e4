"""musicnn's VGG in NumPy: embeddings of three-second patches of a mel spectrogram.

The hash of the checkpoint's data file is fixed, so ``tensors.json`` lists the positions of the
tensors in it, and TensorFlow is not needed to read it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import signal

MUSICNN_RATE = 16_000
FFT, HOP, BANDS, PATCH = 512, 256, 96, 187
EPSILON = 1e-3
"""Epsilon of the batch normalisation."""

_POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))
"""Sizes and strides of the pooling after the five convolutions."""

Float32 = npt.NDArray[np.float32]
Network = dict[str, Float32]


def read_network(file: Path) -> Network:
    """The tensors of the checkpoint, by name."""
    places = json.loads(Path(__file__).with_name("tensors.json").read_text(encoding="utf-8"))
    data = file.read_bytes()
    return {
        name: np.frombuffer(data, np.float32, int(np.prod(shape)), offset).reshape(shape)
        for name, (offset, shape) in places.items()
    }


def musicnn_embeddings(network: Network, audio: Float32) -> npt.NDArray[np.float64]:
    """Embeddings of mono audio at 16 kHz, shape (patches, dimensions); a patch is 3 s."""
    spectrogram = _log_mel(audio)
    count = len(spectrogram) // PATCH
    patches = [_forward(network, spectrogram[i * PATCH : (i + 1) * PATCH]) for i in range(count)]
    size = len(patches[0]) if patches else 0
    return np.array(patches, dtype=np.float64).reshape(count, size)


def _forward(network: Network, patch: Float32) -> Float32:
    values = _normalised(network, "batch_normalization", patch[:, :, None])
    for layer, (size, stride) in enumerate(_POOLS, start=1):
        values = _convolved(values, network[f"{layer}CNN/kernel"], network[f"{layer}CNN/bias"])
        values = _normalised(network, f"batch_normalization_{layer}", values)
        values = _pooled(values, size, stride)
    return values.ravel()


def _normalised(network: Network, name: str, values: Float32) -> Float32:
    mean, variance = network[f"{name}/moving_mean"], network[f"{name}/moving_variance"]
    scale = network[f"{name}/gamma"] / np.sqrt(variance + EPSILON)
    return np.asarray((values - mean) * scale + network[f"{name}/beta"], dtype=np.float32)


def _convolved(values: Float32, kernel: Float32, bias: Float32) -> Float32:
    """A 3 x 3 convolution with zero padding, then a rectifier; channels last."""
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    rows, columns = values.shape[:2]
    out = np.broadcast_to(bias, (rows, columns, len(bias))).copy()
    for i in range(3):
        for j in range(3):
            out += padded[i : i + rows, j : j + columns] @ kernel[i, j]
    return np.maximum(out, 0.0, out=out)


def _pooled(values: Float32, size: tuple[int, int], stride: tuple[int, int]) -> Float32:
    windows = np.lib.stride_tricks.sliding_window_view(values, size, axis=(0, 1))
    return np.asarray(windows[:: stride[0], :: stride[1]].max(axis=(-2, -1)))


def _log_mel(audio: Float32) -> Float32:
    """Log-mel spectrogram (frames, 96): log10(1 + 10000 x) of the power x, as in musicnn."""
    if len(audio) < FFT:
        return np.zeros((0, BANDS), np.float32)
    window = signal.get_window("hann", FFT)
    padded = np.pad(audio, FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP] * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return np.asarray(np.log10(10_000.0 * (power @ _filters().T) + 1.0), dtype=np.float32)


def _filters() -> npt.NDArray[np.float64]:
    """Triangles of equal area, equally spaced on Slaney's mel scale."""

    def hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        log_step = np.log(6.4) / 27.0
        return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp(log_step * (mel - 15.0)))

    top = 15.0 + np.log(MUSICNN_RATE / 2 / 1000.0) / (np.log(6.4) / 27.0)
    edges = hertz(np.linspace(0.0, top, BANDS + 2))
    bins = np.fft.rfftfreq(FFT, 1.0 / MUSICNN_RATE)
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None])
