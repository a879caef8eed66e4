"""A Zipformer layer as nodes of an ONNX graph: the formulas of `layers`, `attention`, `convolution`."""

from __future__ import annotations

import numpy as np

from ..configuration import BYPASS_FLOOR, LOG_SCALE_LIMIT, LayerShape
from ..network.positions import compact_positions
from .nodes import Nodes, Weights

__all__ = ["LayerNodes"]


class LayerNodes(Nodes):
    """Writes layers.

    Parameters
    ----------
    weights
        Arrays by name, see `weights`.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__(weights)
        self._rates: dict[int, int] = {}

    def _layer(self, name: str, x: str, sizes: LayerShape, frames: int, factor: int) -> str:
        start = x
        weights = self._attention_weights(f"{name}/weights", x, sizes, frames, factor)
        x = self._op("Add", x, self._forward(x, f"{name}/forward_1"))
        x = self._op("Add", x, self._nonlin(f"{name}/nonlin", x, weights, sizes, frames))
        x = self._op("Add", x, self._attention(f"{name}/attention_1", x, weights, sizes, frames))
        x = self._op("Add", x, self._convolution(f"{name}/convolution_1", x, sizes, frames))
        x = self._op("Add", x, self._forward(x, f"{name}/forward_2"))
        x = self._bypass(start, x, f"{name}/middle")
        x = self._op("Add", x, self._attention(f"{name}/attention_2", x, weights, sizes, frames))
        x = self._op("Add", x, self._convolution(f"{name}/convolution_2", x, sizes, frames))
        x = self._op("Add", x, self._forward(x, f"{name}/forward_3"))
        return self._bypass(start, self._norm(x, f"{name}/norm"), f"{name}/bypass")

    def _attention_weights(
        self, name: str, x: str, sizes: LayerShape, frames: int, factor: int
    ) -> str:
        heads = sizes.heads
        position = self._weights[f"{name}/position/kernel"].shape[1] // heads
        size = heads * sizes.query_width
        projected = self._linear(x, f"{name}/in")
        queries = self._slice(projected, 2, 0, size)
        keys = self._slice(projected, 2, size, 2 * size)
        asked = self._slice(projected, 2, 2 * size, 2 * size + heads * position)
        keys, seen = self._remember(f"{name}/keys", keys, sizes, (frames, size))
        queries = self._transpose(
            self._reshape(queries, (1, frames, heads, sizes.query_width)), (0, 2, 1, 3)
        )
        keys = self._transpose(
            self._reshape(keys, (1, seen, heads, sizes.query_width)), (0, 2, 3, 1)
        )
        asked = self._transpose(self._reshape(asked, (1, frames, heads, position)), (0, 2, 1, 3))
        table = compact_positions(frames, seen) @ self._weights[f"{name}/position/kernel"]
        distances = frames + seen - 1
        table = table.reshape(distances, heads, position).transpose(1, 2, 0)
        shifted = self._op("MatMul", asked, self._array(np.ascontiguousarray(table)))
        shifted = self._op("Pad", shifted, self._array(np.array([0] * 7 + [1])))
        shifted = self._reshape(shifted, (1, heads, frames * (distances + 1)))
        shifted = self._slice(shifted, 2, frames - 1, frames - 1 + frames * distances)
        shifted = self._reshape(shifted, (1, heads, frames, distances))
        shifted = self._slice(shifted, 3, 0, seen)
        scores = self._op("Add", self._op("MatMul", queries, keys), shifted)
        if sizes.chunk is not None:
            self._rates[factor] = seen
            scores = self._op("Add", scores, f"seen.{factor}")
        return self._op("Softmax", scores, axis=3)

    def _attention(self, name: str, x: str, weights: str, sizes: LayerShape, frames: int) -> str:
        heads, width = sizes.heads, sizes.value_width
        values = self._linear(x, f"{name}/in")
        values, seen = self._remember(name, values, sizes, (frames, heads * width))
        values = self._transpose(self._reshape(values, (1, seen, heads, width)), (0, 2, 1, 3))
        moved = self._transpose(self._op("MatMul", weights, values), (0, 2, 1, 3))
        return self._linear(self._reshape(moved, (1, frames, heads * width)), f"{name}/out")

    def _nonlin(self, name: str, x: str, weights: str, sizes: LayerShape, frames: int) -> str:
        hidden = self._weights[f"{name}/out/kernel"].shape[0]
        projected = self._linear(x, f"{name}/in")
        gate, values, last = (
            self._slice(projected, 2, part * hidden, (part + 1) * hidden) for part in range(3)
        )
        values = self._op("Mul", self._op("Tanh", gate), values)
        values, seen = self._remember(name, values, sizes, (frames, hidden))
        first = self._reshape(self._slice(weights, 1, 0, 1), (1, frames, seen))
        moved = self._op("Mul", self._op("MatMul", first, values), last)
        return self._linear(moved, f"{name}/out")

    def _convolution(self, name: str, x: str, sizes: LayerShape, frames: int) -> str:
        width, half = sizes.width, sizes.kernel // 2
        projected = self._linear(x, f"{name}/in")
        gate = self._sigmoid(self._slice(projected, 2, width, 2 * width))
        gated = self._op("Mul", self._slice(projected, 2, 0, width), gate)
        mixed = self._depthwise(gated, f"{name}/centred", (half, half))
        if sizes.chunk is not None:
            memory = self._memory(f"{name}/gated", (1, half, width))
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
