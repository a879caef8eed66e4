"""Which engine runs the networks: ONNX Runtime or Keras, on a processor or a graphics card."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .architecture import Configuration
from .runtime import Runtime

RUNTIMES = ("auto", "onnx", "keras")


DEVICES = ("auto", "cpu", "gpu")


def make_runtime(
    configuration: Configuration,
    weights: Iterable[tuple[str, npt.NDArray[np.float32]]],
    *,
    masks: bool,
    runtime: str = "auto",
    device: str = "auto",
) -> Runtime:
    """Choose an engine and load the networks.

    Parameters
    ----------
    configuration
        The variant.
    weights
        Variable names and arrays, see `checkpoint.iterate_checkpoint`.
    masks
        Whether the runtime gives masks or estimated magnitudes.
    runtime
        ``"onnx"``, ``"keras"``, or ``"auto"``: ONNX Runtime where it is installed, except on a
        graphics processor.
    device
        ``"cpu"``, ``"gpu"``, or ``"auto"``, which under ONNX Runtime is the processor.

    Raises
    ------
    ValueError
        There is no such runtime or device, or they do not go together.
    """
    for name, value, known in (("runtime", runtime, RUNTIMES), ("device", device, DEVICES)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}.")
    if runtime == "onnx" and device == "gpu":
        raise ValueError("runtime 'onnx' runs on the processor; with device 'gpu' use 'keras'.")
    installed = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
    if runtime == "onnx" or (runtime == "auto" and device != "gpu" and installed):
        from .onnx_runtime import OnnxRuntime

        return OnnxRuntime(configuration, weights, masks=masks)
    if not importlib.util.find_spec("tensorflow"):
        raise ValueError(
            "the Keras runtime and device 'gpu' need TensorFlow. "
            "Install it with: pip install 'benchbench-audio[tensorflow]'"
        )
    from .keras_runtime import KerasRuntime

    return KerasRuntime(configuration, weights, masks=masks, device=device)
