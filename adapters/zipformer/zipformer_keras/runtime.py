"""What runs the network: ONNX Runtime, or Keras where a graphics processor is asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .configuration import Configuration, cell_count
from .onnx.graph import Graph, build_graph

Numbers = npt.NDArray[np.float32]
Arrays = Mapping[str, Numbers]

RUNTIMES = ("auto", "onnx", "keras")
DEVICES = ("auto", "cpu", "gpu")
_BLOCKED = np.float32(-1e9)


class Runtime(Protocol):
    """A network for one number of frames.

    Parameters
    ----------
    notes
        What the last call of `run` said of each frame, see `network.harmonics`; None without these heads.
    """

    notes: Numbers | None

    def run(self, cells: Numbers) -> Numbers:
        """Cells of a mixture (frames, 3, cells) to masks, see `network.Network`."""


def make_runtime(
    configuration: Configuration, weights: Arrays, frames: int, runtime: str, device: str
) -> Runtime:
    """Choose an engine and load the network.

    Parameters
    ----------
    configuration, weights
        The variant.
    frames
        Frames that `run` is given.
    runtime
        ``"onnx"``, ``"keras"``, or ``"auto"``: ONNX Runtime, except on a graphics processor.
    device
        ``"cpu"``, ``"gpu"`` or ``"auto"``.

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
        return OnnxRuntime(build_graph(configuration, weights, frames))
    if not importlib.util.find_spec("tensorflow"):
        raise ValueError(
            "the Keras runtime and device 'gpu' need TensorFlow. "
            "Install it with: pip install 'benchbench-audio[tensorflow]'"
        )
    return KerasRuntime(configuration, weights, frames, device)


class OnnxRuntime:
    """Runs a graph on the processor, and keeps a live graph's memory between chunks.

    Parameters
    ----------
    graph
        From `onnx_graph.build_graph`.
    """

    def __init__(self, graph: Graph) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Idle threads that spin would take the processor from the transforms in between.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # A plan of the first run's memory would be kept beside that memory: 190 MB more for `base`.
        options.enable_mem_pattern = False
        self._graph = graph
        self._session = onnxruntime.InferenceSession(
            graph.model, options, providers=["CPUExecutionProvider"]
        )
        self.restart()

    def restart(self) -> None:
        """Forget what was heard."""
        self._memory = {m.name: np.zeros(m.shape, np.float32) for m in self._graph.memories}
        self._chunks = 0
        self.notes: Numbers | None = None

    def run(self, cells: Numbers) -> Numbers:
        """See `Runtime`; in live mode, one chunk after another."""
        given = {"cells": cells} | self._memory
        for factor, keys in self._graph.rates:
            chunk = self._graph.frames // factor
            seen = np.zeros((1, 1, 1, keys), np.float32)
            seen[..., : max(keys - chunk * (self._chunks + 1), 0)] = _BLOCKED
            given[f"seen.{factor}"] = seen
        masks, *left = self._session.run(None, given)
        if self._graph.has_notes:
            self.notes, *left = left
        self._memory = {m.name: x for m, x in zip(self._graph.memories, left, strict=True)}
        self._chunks += 1
        result: Numbers = masks
        return result


class KerasRuntime:
    """Runs the Keras layers on TensorFlow, on a graphics processor where there is one.

    Parameters
    ----------
    configuration, weights, frames, device
        See `make_runtime`.
    """

    def __init__(
        self, configuration: Configuration, weights: Arrays, frames: int, device: str
    ) -> None:
        import tensorflow as tf

        if configuration.chunk is not None:
            raise ValueError("Live variants run in ONNX Runtime only; leave runtime at 'auto'.")
        if device == "gpu" and not tf.config.list_physical_devices("GPU"):
            raise ValueError("device is 'gpu', but TensorFlow finds none; leave it at 'auto'.")
        self._device = "/CPU:0" if device == "cpu" else None
        with tf.device(self._device):
            network = build_keras(configuration, frames)
            from .weights import assign

            assign(network, weights)
        self.notes: Numbers | None = None
        self._function = tf.function(lambda x: network.with_notes(x[None]), autograph=False)

    def run(self, cells: Numbers) -> Numbers:
        """See `Runtime`."""
        import tensorflow as tf

        with tf.device(self._device):
            masks, notes = self._function(tf.constant(cells))
        self.notes = None if notes is None else notes.numpy()[0]
        result: Numbers = masks.numpy()[0]
        return result


def build_keras(configuration: Configuration, frames: int = 16) -> Any:
    """A variant's Keras network with its variables made."""
    import keras

    from .network.network import Network

    network = Network(configuration)
    network(keras.ops.zeros((1, frames, 3, cell_count(configuration.groups))))
    return network
