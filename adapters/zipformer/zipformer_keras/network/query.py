"""What a singer's signature changes in a network; see `queries`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from ..configuration import CHANNELS, KERNEL, SLOPE, Configuration
from ..queries import HIDDEN, SIGNATURE, STRENGTH, STRENGTHS, change_parts
from .embedding import doubled


class Query(keras.layers.Layer):
    """Two linear maps; the second is zero at the start.

    Parameters
    ----------
    configuration
        Of the network.
    """

    def __init__(self, configuration: Configuration, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.configuration = configuration
        self.parts = change_parts(configuration)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the variables."""
        del shape
        self.mean = self.add_weight(
            name="mean", shape=(SIGNATURE,), initializer="zeros", trainable=False
        )
        self.deviation = self.add_weight(
            name="deviation", shape=(SIGNATURE,), initializer="ones", trainable=False
        )
        self.first = self.add_weight(
            name="first", shape=(SIGNATURE, HIDDEN), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(HIDDEN,), initializer="zeros")
        self.second = self.add_weight(
            name="second", shape=(HIDDEN, self.parts["kernel"].stop), initializer="zeros"
        )

    def adapt(self, signatures: npt.NDArray[np.float32]) -> None:
        """Measure what signatures (singers, numbers) are like, before training.

        What all singers have in common would otherwise be the largest part of what is added to
        the vectors, and the norm that follows would leave little of the song.
        """
        self.mean.assign(signatures.mean(axis=0))
        self.deviation.assign(signatures.std(axis=0) + 1e-3)

    def call(self, signatures: Any, asked: Any) -> dict[str, Any]:
        """The parts of the change, each (batch, its size), see `queries.change_parts`.

        Parameters
        ----------
        signatures
            (batch, `SIGNATURE`).
        asked
            (batch,): 0 where there is no example and nothing changes, else 1.
        """
        centred = (signatures - self.mean) / self.deviation
        hidden = ops.leaky_relu(ops.matmul(centred, self.first) + self.bias, SLOPE)
        numbers = ops.matmul(hidden, self.second) * asked[:, None]
        return {
            name: numbers[:, part] * STRENGTHS.get(name, STRENGTH)
            for name, part in self.parts.items()
        }

    def added(self, features: Any, kernels: Any) -> Any:
        """What changed kernels add to the last level's numbers, (batch, frames, stems * 2, cells).

        Parameters
        ----------
        features
            See `Network.decoded`.
        kernels
            (batch, size): the part ``kernel`` of a change.
        """
        c = self.configuration
        shape = (KERNEL, KERNEL, len(c.stems) * CHANNELS, c.embed[0])
        added = [
            doubled(features[index : index + 1], ops.reshape(kernels[index], shape), 0.0, c.chunk)
            for index in range(int(features.shape[0]))
        ]
        return ops.transpose(ops.concatenate(added, axis=0), (0, 1, 3, 2))
