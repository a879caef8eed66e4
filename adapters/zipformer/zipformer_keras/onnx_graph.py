"""The network as an ONNX graph: the same formulas as the Keras layers, written node by node.

ONNX Runtime needs a fifth of TensorFlow's memory and no seconds of import. A graph is for one
number of frames. In live mode it is for one chunk, and what later chunks need of it (keys,
values, gated frames) goes out of the graph and comes in again with the next chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .configuration import (
    BYPASS_FLOOR,
    CHANNELS,
    FLOOR,
    LOG_SCALE_LIMIT,
    Configuration,
    LayerShape,
    band_count,
    cell_count,
)
from .positions import compact_positions

Weights = Mapping[str, npt.NDArray[np.float32]]

_OPSET = 17
_IR_VERSION = 8
_FLOAT = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """A tensor that a chunk leaves to the next.

    Parameters
    ----------
    name
        Of the graph's input; its output is called ``name + ".next"``.
    shape
        Its shape.
    """

    name: str
    shape: tuple[int, ...]


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
    """

    model: bytes
    frames: int
    memories: tuple[Memory, ...] = ()
    rates: tuple[tuple[int, int], ...] = ()


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
    writer = _Writer(configuration, weights, frames)
    return writer.finish()


class _Writer:
    def __init__(self, configuration: Configuration, weights: Weights, frames: int) -> None:
        self._configuration, self._weights, self._frames = configuration, weights, frames
        if configuration.chunk is not None and frames != configuration.chunk:
            raise ValueError(f"A live graph is for {configuration.chunk} frames, not {frames}.")
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._memories: list[Memory] = []
        self._outputs: list[str] = []
        self._rates: dict[int, int] = {}
        self._count = 0

    def finish(self) -> Graph:
        """Write all nodes; the model."""
        from onnx import helper

        c = self._configuration
        masks = self._network()
        stems, cells = len(c.stems), cell_count(c.groups)
        complex_ = c.mask == "complex"
        shape = [self._frames, *([2] if complex_ else []), stems, CHANNELS, cells]
        info = helper.make_tensor_value_info
        inputs = [info("cells", _FLOAT, [self._frames, 4 if complex_ else 3, cells])]
        inputs += [info(f"seen.{f}", _FLOAT, [1, 1, 1, k]) for f, k in self._rates.items()]
        inputs += [info(memory.name, _FLOAT, memory.shape) for memory in self._memories]
        outputs = [info(masks, _FLOAT, shape)]
        outputs += [
            info(output, _FLOAT, memory.shape)
            for output, memory in zip(self._outputs, self._memories, strict=True)
        ]
        graph = helper.make_graph(
            self._nodes, "zipformer", inputs, outputs, list(self._constants.values())
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        content: bytes = model.SerializeToString()
        return Graph(content, self._frames, tuple(self._memories), tuple(self._rates.items()))

    # The network's parts, in the order in which data meets them.

    def _network(self) -> str:
        c, frames = self._configuration, self._frames
        x = self._norm(self._split(self._standardize(self._features())), "norm")
        bands, width = band_count(c.groups), c.width
        skip = x
        if c.joined:
            x = self._reshape(self._transpose(x, (1, 0, 2)), (1, frames, bands * width))
            x = self._linear(x, "join")
            bands, width = 1, c.joined
        for index, (time_factor, band_factor, units) in enumerate(c.stacks):
            x = self._stack(f"stack_{index}", x, (bands, width), time_factor, band_factor, units)
        if c.joined:
            bands, width = band_count(c.groups), c.width
            x = self._reshape(self._linear(x, "part"), (frames, bands, width))
            x = self._op("Add", skip, self._transpose(x, (1, 0, 2)))
        numbers = self._head(x)
        stems = len(c.stems)
        if c.mask == "complex":
            shaped = self._reshape(numbers, (frames, 2, stems, CHANNELS, -1))
            offset = np.array([1.0 / stems, 0.0], np.float32).reshape(2, 1, 1, 1)
            return self._op("Add", shaped, self._array(offset), output="masks")
        shaped = self._reshape(numbers, (frames, stems, CHANNELS, -1))
        return self._op("Softmax", shaped, axis=1, output="masks")

    def _features(self) -> str:
        floor = self._array(np.float32(FLOOR))
        if self._configuration.mask == "complex":
            real, imaginary = self._slice("cells", 1, 0, 2), self._slice("cells", 1, 2, 4)
            energy = self._op("Add", self._op("Mul", real, real),
                              self._op("Mul", imaginary, imaginary))  # fmt: skip
            root = self._op("Sqrt", self._op("Add", energy, floor))
            slow = self._op("Sqrt", self._op("Mul", root, self._op("Sqrt", root)))
            return self._op("Div", "cells", self._op("Concat", slow, slow, axis=1))
        # Left, right and their product give left, right, middle and side by one small matrix.
        matrix = np.array([[1, 0, 0], [0, 1, 0], [0.25, 0.25, 0.5], [0.25, 0.25, -0.5]])
        energies = self._op("MatMul", self._array(matrix.astype(np.float32)), "cells")
        x = self._op("Add", self._op("Relu", energies), floor)
        for _ in range(3):
            x = self._op("Sqrt", x)
        return x

    def _standardize(self, features: str) -> str:
        centred = self._op("Sub", features, self._weight("standardize/mean"))
        return self._op("Div", centred, self._weight("standardize/deviation"))

    def _split(self, features: str) -> str:
        c, frames = self._configuration, self._frames
        count, parts, start = 4, [], 0
        for index, group in enumerate(c.groups):
            stop = start + group.count * group.cells
            part = self._slice(features, 2, start, stop)
            part = self._reshape(part, (frames, count, group.count, group.cells))
            part = self._transpose(part, (2, 0, 1, 3))
            part = self._reshape(part, (group.count, frames, count * group.cells))
            product = self._op("MatMul", part, self._weight(f"split/kernel_{index}"))
            parts.append(self._op("Add", product, self._weight(f"split/bias_{index}")))
            start = stop
        return self._op("Concat", *parts, axis=0)

    def _head(self, x: str) -> str:
        c, frames = self._configuration, self._frames
        outputs = len(c.stems) * CHANNELS * (2 if c.mask == "complex" else 1)
        hidden = self._op("MatMul", x, self._weight("head/in"))
        hidden = self._op("Tanh", self._op("Add", hidden, self._weight("head/in_bias")))
        pieces, start = [], 0
        for index, group in enumerate(c.groups):
            part = self._slice(hidden, 0, start, start + group.count)
            piece = self._op("MatMul", part, self._weight(f"head/kernel_{index}"))
            piece = self._op("Add", piece, self._weight(f"head/bias_{index}"))
            piece = self._reshape(piece, (group.count, frames, outputs, group.cells))
            piece = self._transpose(piece, (1, 2, 0, 3))
            pieces.append(self._reshape(piece, (frames, outputs, group.count * group.cells)))
            start += group.count
        return self._op("Concat", *pieces, axis=2)

    def _stack(
        self, name: str, x: str, size: tuple[int, int], time: int, band: int, units: int
    ) -> str:
        c, start = self._configuration, x
        (bands, width), frames = size, self._frames
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
            if not c.joined:
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

    def _layer(
        self, name: str, x: str, sizes: LayerShape, shape: tuple[int, int], time: int
    ) -> str:
        start = x
        weights = self._attention_weights(f"{name}/weights", x, sizes, shape, time)
        x = self._op("Add", x, self._forward(x, f"{name}/forward_1"))
        x = self._op("Add", x, self._nonlin(f"{name}/nonlin", x, weights, sizes, shape))
        x = self._op("Add", x, self._attention(f"{name}/attention_1", x, weights, sizes, shape))
        x = self._op("Add", x, self._convolution(f"{name}/convolution_1", x, sizes, shape))
        x = self._op("Add", x, self._forward(x, f"{name}/forward_2"))
        x = self._bypass(start, x, f"{name}/middle")
        x = self._op("Add", x, self._attention(f"{name}/attention_2", x, weights, sizes, shape))
        x = self._op("Add", x, self._convolution(f"{name}/convolution_2", x, sizes, shape))
        x = self._op("Add", x, self._forward(x, f"{name}/forward_3"))
        return self._bypass(start, self._norm(x, f"{name}/norm"), f"{name}/bypass")

    def _attention_weights(
        self, name: str, x: str, sizes: LayerShape, shape: tuple[int, int], time: int
    ) -> str:
        (count, frames), heads = shape, sizes.heads
        position = self._weights[f"{name}/position/kernel"].shape[1] // heads
        size = heads * sizes.query_width
        projected = self._linear(x, f"{name}/in")
        queries = self._slice(projected, 2, 0, size)
        keys = self._slice(projected, 2, size, 2 * size)
        asked = self._slice(projected, 2, 2 * size, 2 * size + heads * position)
        keys, seen = self._remember(f"{name}/keys", keys, sizes, (count, frames, size))
        queries = self._transpose(
            self._reshape(queries, (count, frames, heads, sizes.query_width)), (0, 2, 1, 3)
        )
        keys = self._transpose(
            self._reshape(keys, (count, seen, heads, sizes.query_width)), (0, 2, 3, 1)
        )
        asked = self._transpose(
            self._reshape(asked, (count, frames, heads, position)), (0, 2, 1, 3)
        )
        table = compact_positions(frames, seen) @ self._weights[f"{name}/position/kernel"]
        distances = frames + seen - 1
        table = table.reshape(distances, heads, position).transpose(1, 2, 0)
        shifted = self._op("MatMul", asked, self._array(np.ascontiguousarray(table)))
        shifted = self._op("Pad", shifted, self._array(np.array([0] * 7 + [1])))
        shifted = self._reshape(shifted, (count, heads, frames * (distances + 1)))
        shifted = self._slice(shifted, 2, frames - 1, frames - 1 + frames * distances)
        shifted = self._reshape(shifted, (count, heads, frames, distances))
        shifted = self._slice(shifted, 3, 0, seen)
        scores = self._op("Add", self._op("MatMul", queries, keys), shifted)
        if sizes.chunk is not None:
            self._rates[time] = seen
            scores = self._op("Add", scores, f"seen.{time}")
        return self._op("Softmax", scores, axis=3)

    def _attention(
        self, name: str, x: str, weights: str, sizes: LayerShape, shape: tuple[int, int]
    ) -> str:
        (count, frames), heads, width = shape, sizes.heads, sizes.value_width
        values = self._linear(x, f"{name}/in")
        values, seen = self._remember(name, values, sizes, (count, frames, heads * width))
        values = self._transpose(self._reshape(values, (count, seen, heads, width)), (0, 2, 1, 3))
        moved = self._transpose(self._op("MatMul", weights, values), (0, 2, 1, 3))
        return self._linear(self._reshape(moved, (count, frames, heads * width)), f"{name}/out")

    def _nonlin(
        self, name: str, x: str, weights: str, sizes: LayerShape, shape: tuple[int, int]
    ) -> str:
        count, frames = shape
        hidden = self._weights[f"{name}/out/kernel"].shape[0]
        projected = self._linear(x, f"{name}/in")
        gate, values, last = (
            self._slice(projected, 2, part * hidden, (part + 1) * hidden) for part in range(3)
        )
        values = self._op("Mul", self._op("Tanh", gate), values)
        values, seen = self._remember(name, values, sizes, (count, frames, hidden))
        first = self._reshape(self._slice(weights, 1, 0, 1), (count, frames, seen))
        moved = self._op("Mul", self._op("MatMul", first, values), last)
        return self._linear(moved, f"{name}/out")

    def _convolution(self, name: str, x: str, sizes: LayerShape, shape: tuple[int, int]) -> str:
        count, frames = shape
        width, half = sizes.width, sizes.kernel // 2
        projected = self._linear(x, f"{name}/in")
        gate = self._sigmoid(self._slice(projected, 2, width, 2 * width))
        gated = self._op("Mul", self._slice(projected, 2, 0, width), gate)
        mixed = self._depthwise(gated, f"{name}/centred", (half, half))
        if sizes.chunk is not None:
            memory = self._memory(f"{name}/gated", (count, half, width))
            extended = self._op("Concat", memory, gated, axis=1)
            self._leave(self._slice(extended, 1, frames, frames + half))
            mixed = self._op("Add", mixed, self._depthwise(extended, f"{name}/causal", (0, 0)))
        mixed = self._op("Add", mixed, self._weight(f"{name}/bias"))
        return self._linear(self._swoosh(mixed, 1.0, 0.313261687), f"{name}/out")

    def _depthwise(self, x: str, name: str, pads: tuple[int, int]) -> str:
        kernel = self._weights[name].T[:, None, :]
        flat = self._transpose(x, (0, 2, 1))
        array = self._array(np.ascontiguousarray(kernel))
        result = self._op("Conv", flat, array, group=len(kernel), pads=list(pads))
        return self._transpose(result, (0, 2, 1))

    def _forward(self, x: str, name: str) -> str:
        return self._linear(self._swoosh(self._linear(x, f"{name}/in"), 4.0, 0.035), f"{name}/out")

    def _norm(self, x: str, name: str) -> str:
        scale = np.exp(np.clip(self._weights[f"{name}/log_scale"], -LOG_SCALE_LIMIT,
                               LOG_SCALE_LIMIT))  # fmt: skip
        centred = self._op("Sub", x, self._weight(f"{name}/bias"))
        energy = self._op("ReduceMean", self._op("Mul", centred, centred), axes=[-1])
        # scale / sqrt(energy) = 1 / sqrt(energy / scale^2): one pass less over the frames.
        shrunk = self._op("Mul", self._op("Add", energy, self._array(np.float32(1e-8))),
                          self._array(np.float32(scale**-2)))  # fmt: skip
        return self._op("Div", x, self._op("Sqrt", shrunk))

    def _bypass(self, before: str, after: str, name: str) -> str:
        scale = np.clip(self._weights[f"{name}/scale"], BYPASS_FLOOR, 1.0)
        taken = self._op("Mul", after, self._array(scale))
        return self._op("Add", taken, self._op("Mul", before, self._array(1.0 - scale)))

    def _swoosh(self, x: str, shift: float, offset: float) -> str:
        # ln(1 + e^y) = max(y, 0) + ln(1 + e^-|y|), which no y overflows.
        y = self._op("Sub", x, self._array(np.float32(shift)))
        power = self._op("Exp", self._op("Neg", self._op("Abs", y)))
        tail = self._op("Log", self._op("Add", power, self._array(np.float32(1.0))))
        soft = self._op("Add", self._op("Relu", y), tail)
        line = self._op("Mul", x, self._array(np.float32(-0.08)))
        line = self._op("Add", line, self._array(np.float32(-offset)))
        return self._op("Add", soft, line)

    def _sigmoid(self, x: str) -> str:
        # The runtime's own is an approximation that errs on large numbers.
        one = self._array(np.float32(1.0))
        power = self._op("Exp", self._op("Neg", x))
        return self._op("Div", one, self._op("Add", power, one))

    # Live mode: what goes from one chunk to the next.

    def _remember(
        self, name: str, x: str, sizes: LayerShape, shape: tuple[int, int, int]
    ) -> tuple[str, int]:
        """Put what was kept of earlier chunks before x; the joined tensor and its length."""
        count, frames, width = shape
        if sizes.chunk is None:
            return x, frames
        kept = sizes.chunk * sizes.left
        memory = self._memory(name, (count, kept, width))
        joined = self._op("Concat", memory, x, axis=1)
        self._leave(self._slice(joined, 1, frames, frames + kept))
        return joined, frames + kept

    def _memory(self, name: str, shape: tuple[int, ...]) -> str:
        memory = Memory(f"memory.{name}", shape)
        self._memories.append(memory)
        return memory.name

    def _leave(self, x: str) -> None:
        self._outputs.append(self._op("Identity", x, output=f"{self._memories[-1].name}.next"))

    # Nodes.

    def _linear(self, x: str, name: str) -> str:
        product = self._op("MatMul", x, self._weight(f"{name}/kernel"))
        if f"{name}/bias" not in self._weights:
            return product
        return self._op("Add", product, self._weight(f"{name}/bias"))

    def _reshape(self, x: str, shape: Sequence[int]) -> str:
        return self._op("Reshape", x, self._array(np.array(shape, np.int64)))

    def _transpose(self, x: str, order: Sequence[int]) -> str:
        return self._op("Transpose", x, perm=list(order))

    def _slice(self, x: str, axis: int, start: int, stop: int) -> str:
        numbers = (np.array([n], np.int64) for n in (start, stop, axis))
        return self._op("Slice", x, *(self._array(number) for number in numbers))

    def _op(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        self._count += 1
        name = output or f"{kind}.{self._count}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _array(self, value: npt.NDArray[Any] | np.generic) -> str:
        array = np.asarray(value)
        if array.dtype == np.int64 and array.dtype.kind == "i":
            return self._constant(f"i{array.shape}{array.tolist()}", array)
        if array.size == 1 and not array.shape:
            return self._constant(f"f{float(array)!r}", array.astype(np.float32))
        return self._constant(f"c.{len(self._constants)}", array.astype(np.float32))

    def _constant(self, name: str, array: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        if name not in self._constants:
            array = np.asarray(array) if array.ndim == 0 else np.ascontiguousarray(array)
            self._constants[name] = numpy_helper.from_array(array, name)
        return name


__all__ = ["Graph", "Memory", "build_graph"]
