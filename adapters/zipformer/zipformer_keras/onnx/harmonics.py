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
        c = self._configuration
        masks = self._shared(logits)
        harmonic, gated = self._additions(masks, vectors)
        chosen = np.zeros((1, len(c.stems), 1, 1), np.float32)
        chosen[0, c.stems.index(VOCALS)] = 1.0
        added = self._op("Add", self._op("Mul", harmonic, self._array(chosen)), gated)
        return self._op("Add", logits, added)

    def _harmonic_masks(self, logits: str, vectors: str) -> str:
        """The masks of the logits that `_with_harmonics` gives, without a second softmax.

        What is added to the vocals' logits multiplies their odds, so all masks of a cell are divided by one
        number.
        """
        c = self._configuration
        vocals = c.stems.index(VOCALS)
        masks = self._shared(logits)
        harmonic, gated = self._additions(masks, vectors)
        if self._weights["harmonics/gate"].any():
            masks = self._op("Mul", masks, self._op("Exp", gated))
            masks = self._op("Div", masks, self._op("ReduceSum", masks, self._array(np.array([1]))))
        factor, one = self._op("Exp", harmonic), self._array(np.float32(1.0))
        sung = self._slice(masks, 1, vocals, vocals + 1)
        more = self._op("Mul", sung, self._op("Sub", factor, one))
        rest = self._op("Reciprocal", self._op("Add", more, one))
        scales = [rest] * len(c.stems)
        scales[vocals] = self._op("Mul", rest, factor)
        return self._op("Mul", masks, self._op("Concat", *scales, axis=1), output="masks")

    def _reached(self) -> int:
        """Cells up to the highest that a comb looks at."""
        found: int = int(np.flatnonzero(combs(self._configuration).any(axis=0))[-1]) + 1
        return found

    def _additions(self, masks: str, vectors: str) -> tuple[str, str]:
        """What the comb adds to the vocals, (frames, 1, 1, cells), and the gates, (frames, stems, 1, 1)."""
        c, frames, reached = self._configuration, self._frames, self._reached()
        pitch, activity = self._heads(masks, vectors)
        chances = self._op("Softmax", pitch, axis=1)
        self._op("Concat", chances, self._sigmoid(activity), axis=1, output="notes")
        sung = self._slice(chances, 1, 0, PITCHES)
        silent = self._slice(chances, 1, PITCHES, PITCHES + 1)
        voiced = self._op("Sub", self._array(np.float32(1.0)), silent)
        bands = tone_bands(c)[:, :reached]
        inside, between = (
            (self._weights[f"harmonics/{name}"] @ bands)[None] for name in ("inside", "between")
        )
        # inside * comb + between * (voiced - comb), the first factor in the matrix already.
        comb = self._op("MatMul", sung, self._array(combs(c)[:, :reached] * (inside - between)))
        harmonic = self._op("Add", comb, self._op("Mul", voiced, self._array(between)))
        missing = self._array(np.array([0, 0, 0, cell_count(c.groups) - reached], np.int64))
        harmonic = self._reshape(self._op("Pad", harmonic, missing), (frames, 1, 1, -1))
        gate = self._array(-self._weights["harmonics/gate"][None])
        gated = self._op("Mul", self._op("Softplus", self._op("Neg", activity)), gate)
        return harmonic, self._reshape(gated, (frames, len(c.stems), 1, 1))

    def _heads(self, masks: str, vectors: str) -> tuple[str, str]:
        c, frames, reached = self._configuration, self._frames, self._reached()
        vocals = c.stems.index(VOCALS)
        mask = self._slice(masks, 1, vocals, vocals + 1)
        mask = self._reshape(mask, (frames, CHANNELS, -1))
        energy = self._op("Mul", self._op("Mul", mask, mask), self._slice("cells", 1, 0, CHANNELS))
        energy = self._op("ReduceMean", energy, axes=[1], keepdims=0)
        level = self._op("Add", energy, self._array(np.float32(FLOOR)))
        level = self._op("Sqrt", self._op("Sqrt", level))
        centred = self._op("Sub", level, self._op("ReduceMean", level, axes=[1]))
        spread = self._op("ReduceMean", self._op("Mul", centred, centred), axes=[1])
        spread = self._op("Add", self._op("Sqrt", spread), self._array(np.float32(LEVEL)))
        centred = self._slice(centred, 1, 0, reached)
        found = self._op("MatMul", centred, self._array(detectors(c)[:reached]))
        found = self._op("Div", found, spread)
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
