"""A stem that was added after training, as nodes of an ONNX graph: the formulas of `network.grown`."""

from __future__ import annotations

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
        count, beside = len(c.stems), c.stems.index(c.grown.beside)
        activity = self._op("MatMul", vectors, self._weight("grown/activity"))
        whole = self._op("MatMul", activity, self._weight("grown/patterns"))
        whole = self._op("Add", whole, self._weight("grown/tone"))
        added = self._op("Add", local, self._reshape(whole, (frames, 1, 1, -1)))
        masks = self._op("Softmax", logits, axis=1)
        # The new stem's mask is a softmax in which it takes the place of the stem beside it.
        every = [self._slice(logits, 1, stem, stem + 1) for stem in range(count)]
        every[beside] = self._op("Add", every[beside], added)
        raised = self._op("Softmax", self._op("Concat", *every, axis=1), axis=1)
        mask = self._slice(raised, 1, beside, beside + 1)
        parts = [self._slice(masks, 1, stem, stem + 1) for stem in range(count)]
        if c.grown.stem in c.stems:
            parts[c.stems.index(c.grown.stem)] = mask
        else:
            parts[beside] = self._op("Relu", self._op("Sub", parts[beside], mask))
            parts.append(mask)
        return self._op("Concat", *parts, axis=1, output="masks")
