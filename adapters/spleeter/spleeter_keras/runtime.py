"""What runs the networks: one interface, two engines behind it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .architecture import Configuration

Magnitudes = npt.NDArray[np.float32]

MASK_EPSILON = 1e-10
"""The energy that shares silence out equally among the stems."""

RUNTIMES = ("auto", "onnx", "keras")
DEVICES = ("auto", "cpu", "gpu")


class Runtime(Protocol):
    """Networks that are ready to run."""

    parameters: int

    def run(self, magnitudes: Magnitudes) -> Magnitudes:
        """Run all networks on one segment.

        Parameters
        ----------
        magnitudes
            float32 (2, frames, bins).

        Returns
        -------
        numpy.ndarray
            float32 (stems, 2, frames, bins): masks, each stem's share of the energy; or the
            estimated magnitudes, as was asked for when the runtime was made.
        """


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
    from .keras_runtime import KerasRuntime

    return KerasRuntime(configuration, weights, masks=masks, device=device)
