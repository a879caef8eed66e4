"""The networks in ONNX Runtime: half the memory of TensorFlow, and no seconds of import.

It runs the same formulas as `architecture` on the processor, with channels first, which is
how the signal path has them. The graph carries names and shapes only; the weights are handed
over beside it, so that they are not copied into a message and out again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from .architecture import (
    CHANNELS,
    EPSILON,
    FRAMES,
    Configuration,
    convolution_name,
    normalization_name,
    transpose_name,
    variable_shapes,
)
from .runtime import MASK_EPSILON, Magnitudes

_OPSET = 17
_IR_VERSION = 8
_FLOAT = 1
# SAME: of three samples of padding one lies before; of six, half.
_STRIDED = {"strides": [2, 2], "pads": [1, 1, 2, 2]}
_DILATED = {"dilations": [2, 2], "pads": [3, 3, 3, 3]}


class OnnxRuntime:
    """Runs the networks on the processor.

    Parameters
    ----------
    configuration
        The variant.
    weights
        Variable names and arrays, see `checkpoint.iterate_checkpoint`.
    masks
        Whether `run` gives masks or estimated magnitudes.
    """

    def __init__(
        self,
        configuration: Configuration,
        weights: Iterable[tuple[str, npt.NDArray[np.float32]]],
        *,
        masks: bool,
    ) -> None:
        import onnxruntime

        graph = _Graph(configuration)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # 0 lets it take every core; it does not look at the variable by itself.
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
        # Idle threads that spin would take the processor from the transforms in between.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.parameters = 0
        names, values = [], []
        for name, value in weights:
            self.parameters += value.size
            if name in graph.weights:
                if value.ndim == 4:
                    value = np.ascontiguousarray(value.transpose(3, 2, 0, 1))
                names.append(name)
                values.append(onnxruntime.OrtValue.ortvalue_from_numpy(value))
        options.add_external_initializers(names, values)
        self._session = onnxruntime.InferenceSession(
            graph.build(masks), options, providers=["CPUExecutionProvider"]
        )

    def run(self, magnitudes: Magnitudes) -> Magnitudes:
        """See `runtime.Runtime`."""
        (result,) = self._session.run(None, {"magnitudes": magnitudes[None]})
        stems: Magnitudes = result
        return stems


class _Graph:
    """Writes the graph, node by node."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.weights: set[str] = set()
        logits = [self._unet(index) for index in range(len(configuration.stems))]
        stacked = self._add("Concat", logits, "logits", axis=0)
        one = self._constant("one", 1.0)
        if configuration.output == "softmax":
            share = self._add("Softmax", [stacked], "share", axis=0)
        else:
            # The runtime's own sigmoid is an approximation that errs on large logits.
            power = self._add("Exp", [self._add("Neg", [stacked], "minus")], "power")
            share = self._add("Div", [one, self._add("Add", [power, one], "plus")], "share")
        self._estimates = self._add("Mul", [share, "magnitudes"], "estimates")

    def build(self, masks: bool) -> bytes:
        """The finished model, in the format of ONNX."""
        from onnx import TensorProto, helper

        result = self._masks() if masks else self._estimates
        shapes = variable_shapes(self._configuration)
        for name in sorted(self.weights):
            shape = shapes[name]
            outside = TensorProto(name=name, data_type=_FLOAT, data_location=TensorProto.EXTERNAL)
            outside.dims.extend([shape[3], shape[2], *shape[:2]] if len(shape) == 4 else shape)
            outside.external_data.add(key="location", value="beside")
            self._constants.append(outside)
        size = [CHANNELS, FRAMES, self._configuration.bins]
        graph = helper.make_graph(
            self._nodes,
            "spleeter",
            [helper.make_tensor_value_info("magnitudes", _FLOAT, [1, *size])],
            [
                helper.make_tensor_value_info(
                    result, _FLOAT, [len(self._configuration.stems), *size]
                )
            ],
            self._constants,
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        content: bytes = model.SerializeToString()
        return content

    def _masks(self) -> str:
        squares = self._add("Mul", [self._estimates, self._estimates], "energies")
        axis = self._constant("stems_axis", [0], "int64")
        total = self._add("ReduceSum", [squares, axis], "total", keepdims=1)
        floor = self._constant("floor", MASK_EPSILON)
        share = self._constant("floor_share", MASK_EPSILON / len(self._configuration.stems))
        return self._add(
            "Div",
            [
                self._add("Add", [squares, share], "energies_floored"),
                self._add("Add", [total, floor], "total_floored"),
            ],
            "masks",
        )

    def _unet(self, index: int) -> str:
        depth = len(self._configuration.filters)
        encoder, decoder = self._configuration.activations
        current, skips = "magnitudes", []
        for layer in range(depth):
            raw = self._convolve("Conv", current, convolution_name(index, depth, layer), **_STRIDED)
            skips.append(raw)
            if layer < depth - 1:
                normal = self._normalize(raw, normalization_name(index, depth, layer))
                current = self._activate(normal, encoder)
        current = skips.pop()
        for layer in range(depth):
            name = transpose_name(index, depth, layer)
            raw = self._convolve("ConvTranspose", current, name, **_STRIDED)
            name = normalization_name(index, depth, depth + layer)
            current = self._normalize(self._activate(raw, decoder), name)
            if skips:
                both = [skips.pop(), current]
                current = self._add("Concat", both, f"skip_{index}_{layer}", axis=1)
        return self._convolve("Conv", current, convolution_name(index, depth, depth), **_DILATED)

    def _convolve(self, kind: str, source: str, name: str, **how: list[int]) -> str:
        inputs = [source, self._weight(f"{name}/kernel"), self._weight(f"{name}/bias")]
        return self._add(kind, inputs, name, **how)

    def _normalize(self, source: str, name: str) -> str:
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        inputs = [source, *(self._weight(f"{name}/{part}") for part in parts)]
        return self._add("BatchNormalization", inputs, name, epsilon=EPSILON)

    def _activate(self, source: str, name: str) -> str:
        kinds: dict[str, tuple[str, dict[str, float]]] = {
            "relu": ("Relu", {}),
            "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
            "elu": ("Elu", {"alpha": 1.0}),
        }
        kind, how = kinds[name]
        return self._add(kind, [source], f"{source}_{name}", **how)

    def _weight(self, name: str) -> str:
        self.weights.add(name)
        return name

    def _constant(self, name: str, value: float | list[int], dtype: str = "float32") -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output
