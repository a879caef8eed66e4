"""A stem that was added after training, as nodes of an ONNX graph: the formulas of `network.grown`."""

from __future__ import annotations

import numpy as np

from ..configuration import GROWN_FLOOR
from .grouping import GroupingNodes

__all__ = ["GrownNodes"]


class GrownNodes(GroupingNodes):
    """Writes the masks of a network with one more stem."""

    def _with_grown(self, logits: str, local: str, vectors: str) -> str:
        """Masks (frames, outputs, 2, cells).

        Parameters
        ----------
        logits
            Of the network's own stems, (frames, stems, 2, cells).
        local
            What the grown stem's kernel gives, (frames, 1, 2, cells).
        vectors
            (1, frames, width).
        """
        c, frames = self._configuration, self._frames
        assert c.grown is not None
        count, members = len(c.stems), [c.stems.index(name) for name in c.grown.beside]
        activity = self._op("MatMul", vectors, self._weight("grown/activity"))
        whole = self._op("MatMul", activity, self._weight("grown/patterns"))
        whole = self._op("Add", whole, self._weight("grown/tone"))
        added = self._op("Add", local, self._reshape(whole, (frames, 1, 1, -1)))
        parts = self._parts(self._shared(logits), count)
        # Raised logits give the new mask as the sum of the masks of the stems that it starts from.
        every = self._parts(logits, count)
        for index in members:
            every[index] = self._op("Add", every[index], added)
        raised = self._shared(self._op("Concat", *every, axis=1))
        mask = self._total([self._parts(raised, count)[index] for index in members])
        if c.grown.stem in c.stems:
            parts[c.stems.index(c.grown.stem)] = mask
        else:
            total = self._total([parts[index] for index in members])
            total = self._op("Add", total, self._array(np.float32(GROWN_FLOOR)))
            left = self._op("Sub", self._array(np.float32(1.0)), self._op("Div", mask, total))
            left = self._op("Relu", left)
            for index in members:
                parts[index] = self._op("Mul", parts[index], left)
            parts.append(mask)
        return self._op("Concat", *parts, axis=1, output="masks")

    def _parts(self, x: str, count: int) -> list[str]:
        """Every stem of x, (frames, 1, 2, cells)."""
        return [self._slice(x, 1, stem, stem + 1) for stem in range(count)]

    def _total(self, parts: list[str]) -> str:
        return parts[0] if len(parts) == 1 else self._op("Sum", *parts)
