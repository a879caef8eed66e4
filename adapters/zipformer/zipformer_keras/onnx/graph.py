"""The network as an ONNX graph: the same formulas as the Keras layers, written node by node.

ONNX Runtime needs a fifth of TensorFlow's memory and no seconds of import. A graph is for one
number of frames. In live mode it is for one chunk, and what later chunks need of it (keys,
values, gated frames) goes out of the graph and comes in again with the next chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..configuration import CHANNELS, Configuration, cell_count
from ..pitches import PITCHES
from .harmonics import HarmonicNodes
from .nodes import Memory, Weights

__all__ = ["Graph", "Memory", "build_graph"]


@dataclass(frozen=True, slots=True)
class Graph:
    """A finished graph.

    Parameters
    ----------
    model
        The serialized model, with weights.
    frames
        Frames that it takes.
    memories
        What goes from chunk to chunk; empty offline.
    rates
        For each time factor with live layers, ``seen.<factor>`` is an input: float32 (1, 1, 1,
        keys), 0 for keys that exist and -1e9 for those before the song.
    has_notes
        Whether ``notes`` is an output too, see `network.harmonics`.
    """

    model: bytes
    frames: int
    memories: tuple[Memory, ...] = ()
    rates: tuple[tuple[int, int], ...] = ()
    has_notes: bool = False


def build_graph(configuration: Configuration, weights: Weights, frames: int) -> Graph:
    """Write a variant's graph.

    Parameters
    ----------
    configuration
        The variant. With a chunk, the graph is for live mode and `frames` must be the chunk.
    weights
        Arrays by name, see `weights`.
    frames
        Number of frames.
    """
    writer = _NetworkNodes(configuration, weights, frames)
    return writer.finish()


class _NetworkNodes(HarmonicNodes):
    def __init__(self, configuration: Configuration, weights: Weights, frames: int) -> None:
        if configuration.chunk is not None and frames != configuration.chunk:
            raise ValueError(f"A live graph is for {configuration.chunk} frames, not {frames}.")
        super().__init__(configuration, weights, frames)

    def finish(self) -> Graph:
        """Write all nodes; the graph."""
        c = self._configuration
        masks = self._network()
        cells = cell_count(c.groups)
        inputs = {"cells": [self._frames, 3, cells]}
        inputs |= {f"seen.{factor}": [1, 1, 1, keys] for factor, keys in self._rates.items()}
        outputs = {masks: [self._frames, len(c.outputs), CHANNELS, cells]}
        if c.harmonics:
            outputs["notes"] = [self._frames, PITCHES + 1 + len(c.stems)]
        content = self._serialized(inputs, outputs)
        memories, rates = tuple(self._memories), tuple(self._rates.items())
        return Graph(content, self._frames, memories, rates, c.harmonics)

    # The network's parts, in the order in which data meets them.

    def _network(self) -> str:
        c, frames = self._configuration, self._frames
        x, levels = self._embed(self._standardize(self._features()))
        vectors = self._encoded(x)
        stems = len(c.stems) + (1 if c.grown else 0)
        numbers, features = self._unembed(vectors, levels)
        if c.grouping:
            numbers = self._grouped(numbers, features, vectors)
        numbers = self._reshape(numbers, (frames, stems, CHANNELS, -1))
        logits = self._slice(numbers, 1, 0, len(c.stems)) if c.grown else numbers
        if c.harmonics and not c.grown:
            return self._harmonic_masks(logits, vectors)
        if c.grown:
            logits = self._with_harmonics(logits, vectors) if c.harmonics else logits
            return self._with_grown(logits, self._slice(numbers, 1, stems - 1, stems), vectors)
        return self._shared(logits, output="masks")

    def _encoded(self, x: str) -> str:
        x = self._norm(x, "norm")
        for index, (factor, layers) in enumerate(self._configuration.stacks):
            x = self._stack(f"stack_{index}", x, factor, layers)
        return x

    def _stack(self, name: str, x: str, factor: int, layers: int) -> str:
        start, frames = x, self._frames
        if factor > 1:
            x, frames = self._down(x, f"{name}/down_time", factor)
        sizes = self._configuration.layer_shape(factor)
        for index in range(layers):
            x = self._layer(f"{name}/time_{index}", x, sizes, frames, factor)
        if factor == 1:
            return x
        return self._bypass(start, self._up(x, factor, frames), f"{name}/out")

    def _down(self, x: str, name: str, factor: int) -> tuple[str, int]:
        frames, width = self._frames, self._configuration.width
        missing = -frames % factor
        if missing:
            last = self._slice(x, 1, frames - 1, frames)
            x = self._op("Concat", x, *[last] * missing, axis=1)
        groups = (frames + missing) // factor
        x = self._reshape(x, (1, groups, factor, width))
        bias = self._weights[f"{name}/bias"].astype(np.float64)
        weights = np.exp(bias - bias.max())
        weights = (weights / weights.sum()).astype(np.float32)
        scaled = self._op("Mul", x, self._array(weights[:, None]))
        return self._op("ReduceSum", scaled, self._array(np.array([2])), keepdims=0), groups

    def _up(self, x: str, factor: int, groups: int) -> str:
        width = self._configuration.width
        x = self._reshape(x, (1, groups, 1, width))
        x = self._op("Concat", *[x] * factor, axis=2)
        x = self._reshape(x, (1, groups * factor, width))
        return x if groups * factor == self._frames else self._slice(x, 1, 0, self._frames)
