"""Where a network meets the spectrum, as nodes of an ONNX graph: `features`, `embedding`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..configuration import FLOOR, SLOPE, Configuration, cell_count
from .layers import LayerNodes
from .nodes import Weights

__all__ = ["EdgeNodes"]

Numbers = npt.NDArray[np.float32]


class EdgeNodes(LayerNodes):
    """Writes what turns cells to vectors, and vectors to masks.

    Parameters
    ----------
    configuration
        The variant.
    weights
        Arrays by name, see `weights`.
    frames
        Number of frames.
    """

    def __init__(self, configuration: Configuration, weights: Weights, frames: int) -> None:
        super().__init__(weights)
        self._configuration, self._frames = configuration, frames

    def _features(self) -> str:
        # Left, right and their product give left, right, middle and side by one small matrix.
        matrix = np.array([[1, 0, 0], [0, 1, 0], [0.25, 0.25, 0.5], [0.25, 0.25, -0.5]])
        energies = self._op("MatMul", self._array(matrix.astype(np.float32)), "cells")
        x = self._op("Add", self._op("Relu", energies), self._array(np.float32(FLOOR)))
        for _ in range(3):
            x = self._op("Sqrt", x)
        return x

    def _standardize(self, features: str) -> str:
        centred = self._op("Sub", features, self._weight("standardize/mean"))
        return self._op("Div", centred, self._weight("standardize/deviation"))

    def _embed(self, features: str) -> tuple[str, list[str]]:
        c, frames = self._configuration, self._frames
        cells, levels = cell_count(c.groups), []
        x = self._transpose(self._reshape(features, (1, frames, 4, cells)), (0, 2, 1, 3))
        for index, inputs in enumerate((4, *c.embed[:-1])):
            x, before = self._with_past(f"embed/level_{index}", x, (inputs, frames, cells))
            kernel = self._weights[f"embed/kernel_{index}"].transpose(3, 2, 0, 1)
            x = self._op(
                "Conv", x, self._array(np.ascontiguousarray(kernel)),
                self._weight(f"embed/bias_{index}"), strides=[1, 2],
                pads=[before, 0, 1, 1],
            )  # fmt: skip
            x = self._op("LeakyRelu", x, alpha=SLOPE)
            levels.append(x)
            cells //= 2
        x = self._reshape(self._transpose(x, (0, 2, 3, 1)), (1, frames, cells * c.embed[-1]))
        return self._linear(x, "embed/join"), levels

    def _unembed(self, x: str, levels: list[str]) -> tuple[str, str]:
        """Numbers (frames, outputs, cells) of the last level, and what it is given.

        The numbers of a grown stem follow those of the network's own.
        """
        c, frames = self._configuration, self._frames
        cells = cell_count(c.groups) // 2 ** len(c.embed)
        x = self._reshape(self._linear(x, "unembed/part"), (1, frames, cells, c.embed[-1]))
        x = self._transpose(x, (0, 3, 1, 2))
        for index in reversed(range(len(c.embed))):
            features = x = self._op("LeakyRelu", self._op("Add", x, levels[index]), alpha=SLOPE)
            shape = (c.embed[index], frames, cells)
            x, before = self._with_past(f"unembed/level_{index}", x, shape)
            kernel, bias = (self._weights[f"unembed/{part}_{index}"] for part in ("kernel", "bias"))
            if c.grown and index == 0:
                kernel = np.concatenate([kernel, self._weights["grown/kernel"]], axis=2)
                bias = np.concatenate([bias, self._weights["grown/bias"]])
            x = self._op(
                "Conv", x, self._array(_split(kernel)), self._array(np.tile(bias, 2)),
                pads=[before, 1, 1, 0],
            )  # fmt: skip
            # Even and odd cells are next to each other in the channels.
            x = self._transpose(self._reshape(x, (2, -1, frames, cells)), (1, 2, 3, 0))
            cells *= 2
            x = self._reshape(x, (1, -1, frames, cells))
        return self._transpose(self._reshape(x, (-1, frames, cells)), (1, 0, 2)), features

    def _with_past(self, name: str, x: str, shape: tuple[int, int, int]) -> tuple[str, int]:
        """Put a live level's last frame before x; x, and the frames of silence that it lacks."""
        if self._configuration.chunk is None:
            return x, 1
        channels, frames, cells = shape
        memory = self._memory(name, (1, channels, 1, cells))
        self._leave(self._slice(x, 2, frames - 1, frames))
        return self._op("Concat", memory, x, axis=2), 0


def _split(kernel: Numbers) -> Numbers:
    """A transposed convolution that doubles the cells as a convolution to even and to odd cells.

    ONNX Runtime's transposed convolution takes several times as long.

    Parameters
    ----------
    kernel
        (3, 3, outputs, inputs).

    Returns
    -------
    numpy.ndarray
        (2 * outputs, inputs, 3, 2): even cells of all outputs, then odd ones, from a cell and the one below it.
    """
    reversed_ = kernel[::-1].transpose(2, 3, 0, 1)
    even = np.stack([reversed_[..., 2], reversed_[..., 0]], axis=-1)
    odd = np.stack([0 * reversed_[..., 1], reversed_[..., 1]], axis=-1)
    both: Numbers = np.ascontiguousarray(np.concatenate([even, odd]))
    return both
