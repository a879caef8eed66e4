"""The network as an ONNX graph: the same formulas as the Keras layers, written node by node.

ONNX Runtime needs a fifth of TensorFlow's memory and no seconds of import. A graph is for one
number of frames. In live mode it is for one chunk, and what later chunks need of it (keys,
values, gated frames) goes out of the graph and comes in again with the next chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..configuration import CHANNELS, Configuration, LayerShape, band_count, cell_count
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
        complex_ = c.mask == "complex"
        parts, cells = [2] if complex_ else [], cell_count(c.groups)
        inputs = {"cells": [self._frames, 4 if complex_ else 3, cells]}
        inputs |= {f"seen.{factor}": [1, 1, 1, keys] for factor, keys in self._rates.items()}
        outputs = {masks: [self._frames, *parts, len(c.outputs), CHANNELS, cells]}
        if c.harmonics:
            outputs["notes"] = [self._frames, PITCHES + 1 + len(c.stems)]
        content = self._serialized(inputs, outputs)
        memories, rates = tuple(self._memories), tuple(self._rates.items())
        return Graph(content, self._frames, memories, rates, c.harmonics)

    # The network's parts, in the order in which data meets them.

    def _network(self) -> str:
        c, frames = self._configuration, self._frames
        seen = self._standardize(self._features())
        if c.embed and c.mask == "magnitude":
            return self._single_path(seen)
        if c.embed:
            x, levels = self._embed(seen)
            numbers, _ = self._unembed(self._encoded(x, 1), levels)
        else:
            numbers = self._head(self._encoded(self._split(seen), band_count(c.groups)))
        stems = len(c.stems)
        if c.mask == "complex":
            shaped = self._reshape(numbers, (frames, 2, stems, CHANNELS, -1))
            offset = np.array([1.0 / stems, 0.0], np.float32).reshape(2, 1, 1, 1)
            return self._op("Add", shaped, self._array(offset), output="masks")
        shaped = self._reshape(numbers, (frames, stems, CHANNELS, -1))
        return self._shared(shaped, output="masks")

    def _single_path(self, seen: str) -> str:
        c, frames = self._configuration, self._frames
        x, levels = self._embed(seen)
        vectors = self._encoded(x, 1)
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

    def _encoded(self, x: str, bands: int) -> str:
        x = self._norm(x, "norm")
        for index, (time_factor, band_factor, units) in enumerate(self._configuration.stacks):
            x = self._stack(f"stack_{index}", x, bands, time_factor, band_factor, units)
        return x

    def _stack(self, name: str, x: str, bands: int, time: int, band: int, units: int) -> str:
        c, start = self._configuration, x
        width, frames = c.width, self._frames
        if time > 1:
            x, frames = self._down(x, f"{name}/down_time", time, 1, (bands, frames, width))
        full = bands
        if band > 1:
            x, bands = self._down(x, f"{name}/down_bands", band, 0, (bands, frames, width))
        chunk = None if c.chunk is None else c.chunk // time
        sizes = (width, c.heads, c.query_width, c.value_width, c.feedforward)
        along_time = LayerShape(*sizes, c.time_kernel, chunk=chunk, left=c.left)
        along_bands = LayerShape(*sizes, c.band_kernel)
        for index in range(units):
            if not c.embed:
                x = self._transpose(x, (1, 0, 2))
                x = self._layer(f"{name}/bands_{index}", x, along_bands, (frames, bands), time)
                x = self._transpose(x, (1, 0, 2))
            x = self._layer(f"{name}/time_{index}", x, along_time, (bands, frames), time)
        if time == 1 and band == 1:
            return x
        x = self._up(x, time, 1, (bands, frames, width), self._frames)
        x = self._up(x, band, 0, (bands, self._frames, width), full)
        return self._bypass(start, x, f"{name}/out")

    def _down(
        self, x: str, name: str, factor: int, axis: int, shape: tuple[int, ...]
    ) -> tuple[str, int]:
        sizes = list(shape)
        missing = -sizes[axis] % factor
        if missing:
            last = self._slice(x, axis, sizes[axis] - 1, sizes[axis])
            x = self._op("Concat", x, *[last] * missing, axis=axis)
        groups = (sizes[axis] + missing) // factor
        x = self._reshape(x, (*sizes[:axis], groups, factor, *sizes[axis + 1 :]))
        bias = self._weights[f"{name}/bias"].astype(np.float64)
        weights = np.exp(bias - bias.max())
        weights = (weights / weights.sum()).astype(np.float32)
        scaled = self._op(
            "Mul", x, self._array(weights.reshape(factor, *[1] * (len(shape) - axis - 1)))
        )
        axes = self._array(np.array([axis + 1]))
        return self._op("ReduceSum", scaled, axes, keepdims=0), groups

    def _up(self, x: str, factor: int, axis: int, shape: tuple[int, ...], size: int) -> str:
        if factor == 1:
            return x
        sizes = list(shape)
        x = self._reshape(x, (*sizes[: axis + 1], 1, *sizes[axis + 1 :]))
        x = self._op("Concat", *[x] * factor, axis=axis + 1)
        sizes[axis] *= factor
        x = self._reshape(x, tuple(sizes))
        return x if sizes[axis] == size else self._slice(x, axis, 0, size)
