"""Pitch, voicing and activity of a frame, and a comb that separates the voice by its harmonics.

The pitch is estimated from the network's own vocals and the frame's vector. A comb of that pitch, built
by formula, is added to the vocals' logits with one gain inside and one between the partials for
each band; what a stem's activity says is added to all its logits. All gains start at zero, so the network
starts as it was without this layer.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..configuration import FLOOR, Configuration
from ..pitches import LEVEL, PITCHES, TONE_BANDS, VOCALS, combs, detectors, tone_bands


class Harmonics(keras.layers.Layer):
    """Heads for pitch and activity, and what they add to the logits.

    Parameters
    ----------
    configuration
        Names the stems and the cells.
    """

    def __init__(self, configuration: Configuration, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.configuration = configuration
        self.vocals = configuration.stems.index(VOCALS)
        # NumPy arrays: a tensor made here would belong to the graph of the first call.
        self._combs, self._detectors = combs(configuration), detectors(configuration)
        self._bands = tone_bands(configuration)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the variables."""
        del shape
        c, stems = self.configuration, len(self.configuration.stems)

        def zeros(name: str, *size: int) -> Any:
            return self.add_weight(name=name, shape=size, initializer="zeros")

        self.salience = self.add_weight(name="salience", shape=(2,), initializer="ones")
        self.pitch_kernel = zeros("pitch_kernel", c.width, PITCHES + 1)
        self.pitch_bias = zeros("pitch_bias", PITCHES + 1)
        self.activity_kernel = zeros("activity_kernel", c.width, stems)
        self.activity_bias = zeros("activity_bias", stems)
        self.inside = zeros("inside", TONE_BANDS)
        self.between = zeros("between", TONE_BANDS)
        self.gate = zeros("gate", stems)

    def heads(self, masks: Any, cells: Any, vectors: Any) -> tuple[Any, Any]:
        """Logits of the pitches (the last: unvoiced) and of each stem's activity.

        Parameters
        ----------
        masks
            Of the vocals, (batch, frames, 2, cells).
        cells, vectors
            What the network was given, and `Network.decoded`'s vectors.

        Returns
        -------
        (batch, frames, pitches + 1) and (batch, frames, stems).
        """
        energy = ops.mean(ops.square(masks) * cells[:, :, :2], axis=2)
        level = ops.sqrt(ops.sqrt(energy + FLOOR))
        centred = level - ops.mean(level, axis=-1, keepdims=True)
        spread = ops.sqrt(ops.mean(ops.square(centred), axis=-1, keepdims=True))
        found = ops.matmul(centred / (spread + LEVEL), self._detectors)
        best = ops.max(found, axis=-1, keepdims=True)
        scaled = ops.concatenate([found * self.salience[0], -best * self.salience[1]], axis=-1)
        pitch = scaled + ops.matmul(vectors, self.pitch_kernel) + self.pitch_bias
        return pitch, ops.matmul(vectors, self.activity_kernel) + self.activity_bias

    def added(self, pitch: Any, activity: Any) -> Any:
        """What the heads add to the logits, (batch, frames, stems, 1, cells)."""
        chances = ops.softmax(pitch, axis=-1)
        comb = ops.matmul(chances[..., :PITCHES], self._combs)
        voiced = 1.0 - chances[..., PITCHES:]
        inside, between = (
            ops.matmul(gain[None], self._bands)[0] for gain in (self.inside, self.between)
        )
        harmonic = inside * comb + between * (voiced - comb)
        gated = -self.gate * ops.softplus(-activity)
        rows = [
            gated[:, :, stem, None] + (harmonic if stem == self.vocals else 0.0 * harmonic)
            for stem in range(len(self.configuration.stems))
        ]
        return ops.stack(rows, axis=2)[:, :, :, None]

    def raised(self, logits: Any, cells: Any, vectors: Any) -> tuple[Any, Any, Any]:
        """New logits, (batch, frames, stems, 2, cells), and what `heads` gives."""
        masks = ops.softmax(logits, axis=2)[:, :, self.vocals]
        pitch, activity = self.heads(masks, cells, vectors)
        return logits + self.added(pitch, activity), pitch, activity

    def call(self, logits: Any, cells: Any, vectors: Any) -> tuple[Any, Any]:
        """New logits, (batch, frames, stems, 2, cells), and the notes.

        Notes are, for each frame, the chance of every pitch, of no voice, and of each stem's activity:
        (batch, frames, pitches + 1 + stems).
        """
        new, pitch, activity = self.raised(logits, cells, vectors)
        notes = ops.concatenate([ops.softmax(pitch, axis=-1), ops.sigmoid(activity)], axis=-1)
        return new, notes
