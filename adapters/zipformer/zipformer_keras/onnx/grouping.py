"""Kernels that depend on the song, as nodes of an ONNX graph: the formulas of `network.grouping`."""

from __future__ import annotations

import numpy as np

from ..configuration import CHANNELS, GROUPING_FLOOR, KERNEL
from .inputs_outputs import EdgeNodes

__all__ = ["GroupingNodes"]


class GroupingNodes(EdgeNodes):
    """Writes what pooled vectors add to the last level."""

    def _grouped(self, numbers: str, features: str, vectors: str) -> str:
        """Numbers (frames, stems * 2, cells) with what the song's kernels add.

        Parameters
        ----------
        numbers
            Of the static kernel.
        features
            What the last level is given, (1, channels, frames, cells / 2).
        vectors
            (1, frames, width).
        """
        c, frames = self._configuration, self._frames
        stems, channels = len(c.stems), c.embed[0]
        flat = self._reshape(vectors, (frames, c.width))
        tokens = self._array(np.ascontiguousarray(self._weights["grouping/tokens"].T))
        shares = self._op("Softmax", self._op("MatMul", flat, tokens), axis=1)
        total = self._op("MatMul", self._transpose(shares, (1, 0)), flat)
        square = self._op("ReduceMean", self._op("Mul", total, total), axes=[1])
        square = self._op("Add", square, self._array(np.float32(GROUPING_FLOOR)))
        pooled = self._op("Div", total, self._op("Sqrt", square))
        kernel = self._op("MatMul", pooled, self._weight("grouping/kernel"))
        kernel = self._reshape(kernel, (stems, KERNEL, KERNEL, CHANNELS, channels))
        kernel = self._transpose(kernel, (4, 0, 3, 1, 2))
        kernel = self._reshape(kernel, (channels, stems * CHANNELS, KERNEL, KERNEL))
        pads = [KERNEL - 2, 0, 1, 1]
        added = self._op("ConvTranspose", features, kernel, strides=[1, 2], pads=pads)
        added = self._transpose(self._reshape(added, (stems * CHANNELS, frames, -1)), (1, 0, 2))
        bias = self._op("MatMul", pooled, self._weight("grouping/bias"))
        added = self._op("Add", added, self._reshape(bias, (1, stems * CHANNELS, 1)))
        return self._op("Add", numbers, added)
