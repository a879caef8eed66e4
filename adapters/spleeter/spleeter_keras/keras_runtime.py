"""The networks in TensorFlow: on a graphics processor, or where ONNX Runtime is not installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from .architecture import CHANNELS, FRAMES, Configuration, build_network
from .checkpoint import assign_weights
from .runtime import MASK_EPSILON, Magnitudes


class KerasRuntime:
    """Runs the networks of `architecture` as one graph.

    Parameters
    ----------
    configuration
        The variant.
    weights
        Variable names and arrays, see `checkpoint.iterate_checkpoint`.
    masks
        Whether `run` gives masks or estimated magnitudes.
    device
        ``"cpu"``, ``"gpu"`` or ``"auto"`` (whatever TensorFlow prefers). TensorFlow takes its
        devices once a process.
    """

    def __init__(
        self,
        configuration: Configuration,
        weights: Iterable[tuple[str, npt.NDArray[np.float32]]],
        *,
        masks: bool,
        device: str,
    ) -> None:
        import tensorflow as tf

        _choose_device(tf, device)
        network = build_network(configuration)
        self.parameters = assign_weights(network, weights)
        stems = len(configuration.stems)

        def run(magnitudes: Any) -> Any:
            estimates = network(tf.transpose(magnitudes, (1, 2, 0))[None], training=False)
            estimates = tf.transpose(estimates[:, 0], (0, 3, 1, 2))
            if not masks:
                return estimates
            energies = tf.square(estimates)
            total = tf.reduce_sum(energies, axis=0) + MASK_EPSILON
            return (energies + MASK_EPSILON / stems) / total

        signature = [tf.TensorSpec((CHANNELS, FRAMES, configuration.bins), tf.float32)]
        self._run = tf.function(run, input_signature=signature, autograph=False)

    def run(self, magnitudes: Magnitudes) -> Magnitudes:
        """See `runtime.Runtime`."""
        stems: Magnitudes = self._run(magnitudes).numpy()
        return stems


def _choose_device(tf: Any, device: str) -> None:
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise ValueError("device is 'gpu', but TensorFlow finds no GPU; use 'cpu' or 'auto'.")
    if device == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
    elif gpus:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
