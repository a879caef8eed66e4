"""Pitch, activity and the comb as nodes of an ONNX graph: the formulas of `network.harmonics`."""

from __future__ import annotations

import numpy as np

from ..configuration import CHANNELS, FLOOR, cell_count
from ..pitches import LEVEL, PITCHES, VOCALS, combs, detectors, tone_bands
from .grown import GrownNodes

__all__ = ["HarmonicNodes"]


class HarmonicNodes(GrownNodes):
    """Writes the heads and what they add to the logits."""

    def _with_harmonics(self, logits: str, vectors: str) -> str:
        """New logits (frames, stems, 2, cells); the notes become the graph's output ``notes``."""
        c, frames = self._configuration, self._frames
        vocals, stems, cells = c.stems.index(VOCALS), len(c.stems), cell_count(c.groups)
        pitch, activity = self._heads(logits, vectors, vocals)
        chances = self._op("Softmax", pitch, axis=1)
        sung = self._slice(chances, 1, 0, PITCHES)
        comb = self._op("MatMul", sung, self._array(combs(c)))
        voiced = self._op(
            "Sub", self._array(np.float32(1.0)), self._slice(chances, 1, PITCHES, PITCHES + 1)
        )
        bands = tone_bands(c)
        inside, between = (
            self._array((self._weights[f"harmonics/{name}"] @ bands)[None])
            for name in ("inside", "between")
        )
        harmonic = self._op(
            "Add",
            self._op("Mul", comb, inside),
            self._op("Mul", self._op("Sub", voiced, comb), between),
        )
        gated = self._op(
            "Mul",
            self._op("Softplus", self._op("Neg", activity)),
            self._array(-self._weights["harmonics/gate"][None]),
        )
        chosen = np.zeros((1, stems, 1, 1), np.float32)
        chosen[0, vocals] = 1.0
        row = self._op("Mul", self._reshape(harmonic, (frames, 1, 1, cells)), self._array(chosen))
        added = self._op("Add", row, self._reshape(gated, (frames, stems, 1, 1)))
        heard = self._sigmoid(activity)
        self._op("Concat", chances, heard, axis=1, output="notes")
        return self._op("Add", logits, added)

    def _heads(self, logits: str, vectors: str, vocals: int) -> tuple[str, str]:
        c, frames = self._configuration, self._frames
        mask = self._slice(self._op("Softmax", logits, axis=1), 1, vocals, vocals + 1)
        mask = self._reshape(mask, (frames, CHANNELS, -1))
        energy = self._op("Mul", self._op("Mul", mask, mask), self._slice("cells", 1, 0, CHANNELS))
        energy = self._op("ReduceMean", energy, axes=[1], keepdims=0)
        level = self._op("Add", energy, self._array(np.float32(FLOOR)))
        level = self._op("Sqrt", self._op("Sqrt", level))
        centred = self._op("Sub", level, self._op("ReduceMean", level, axes=[1]))
        spread = self._op("ReduceMean", self._op("Mul", centred, centred), axes=[1])
        spread = self._op("Add", self._op("Sqrt", spread), self._array(np.float32(LEVEL)))
        found = self._op("MatMul", self._op("Div", centred, spread), self._array(detectors(c)))
        best = self._op("ReduceMax", found, axes=[1])
        scale = self._weights["harmonics/salience"]
        scaled = self._op(
            "Concat",
            self._op("Mul", found, self._array(np.float32(scale[0]))),
            self._op("Mul", best, self._array(np.float32(-scale[1]))),
            axis=1,
        )
        flat = self._reshape(vectors, (frames, c.width))
        pitch, activity = (
            self._op(
                "Add",
                self._op("MatMul", flat, self._weight(f"harmonics/{name}_kernel")),
                self._weight(f"harmonics/{name}_bias"),
            )
            for name in ("pitch", "activity")
        )
        return self._op("Add", scaled, pitch), activity
