"""Nodes of an ONNX graph, its constants, and what a live chunk leaves to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..configuration import LayerShape

__all__ = ["Memory", "Nodes", "Weights"]

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


class Nodes:
    """Writes a graph node by node; a tensor is known by its name.

    Parameters
    ----------
    weights
        Arrays by name, see `weights`.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._memories: list[Memory] = []
        self._outputs: list[str] = []
        self._count = 0

    def _serialized(
        self, inputs: Mapping[str, Sequence[int]], outputs: Mapping[str, Sequence[int]]
    ) -> bytes:
        """The model; memories are inputs and outputs beside those that are named."""
        from onnx import helper

        info = helper.make_tensor_value_info
        taken = [info(name, _FLOAT, shape) for name, shape in inputs.items()]
        taken += [info(memory.name, _FLOAT, memory.shape) for memory in self._memories]
        given = [info(name, _FLOAT, shape) for name, shape in outputs.items()]
        given += [
            info(output, _FLOAT, memory.shape)
            for output, memory in zip(self._outputs, self._memories, strict=True)
        ]
        constants = list(self._constants.values())
        graph = helper.make_graph(self._nodes, "zipformer", taken, given, constants)
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        content: bytes = model.SerializeToString()
        return content

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

    def _shared(self, logits: str, output: str | None = None) -> str:
        """Softmax over the stems, (frames, stems, 2, cells).

        ONNX Runtime transposes for a softmax along an axis that is not the last, which takes a third of the
        network's time (165 of 534 ms for 512 frames of `tiny` on one core); these nodes take 7 ms.
        """
        highest = self._op("ReduceMax", logits, axes=[1])
        exponents = self._op("Exp", self._op("Sub", logits, highest))
        total = self._op("ReduceSum", exponents, self._array(np.array([1])))
        return self._op("Mul", exponents, self._op("Reciprocal", total), output=output)

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

    # Live mode: what goes from one chunk to the next.

    def _remember(
        self, name: str, x: str, sizes: LayerShape, shape: tuple[int, int]
    ) -> tuple[str, int]:
        """Put what was kept of earlier chunks before x, (1, frames, width); the joined tensor and its length."""
        frames, width = shape
        if sizes.chunk is None:
            return x, frames
        kept = sizes.chunk * sizes.left
        memory = self._memory(name, (1, kept, width))
        joined = self._op("Concat", memory, x, axis=1)
        self._leave(self._slice(joined, 1, frames, frames + kept))
        return joined, frames + kept

    def _memory(self, name: str, shape: tuple[int, ...]) -> str:
        memory = Memory(f"memory.{name}", shape)
        self._memories.append(memory)
        return memory.name

    def _leave(self, x: str) -> None:
        self._outputs.append(self._op("Identity", x, output=f"{self._memories[-1].name}.next"))
