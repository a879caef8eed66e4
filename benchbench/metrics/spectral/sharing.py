"""The sums of all protocols of spectrograms that are asked for together, from one pass."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.references import References
from benchbench.metrics.signals import Blocks, Float64
from benchbench.metrics.spectral.distance_sums import DistanceSums
from benchbench.metrics.spectral.mel import MelBands
from benchbench.metrics.spectral.mel_levels import MEL_BANDS, MEL_STFT, MelLevels
from benchbench.metrics.spectral.msst_sums import (
    RATE,
    WEIGHTED,
    WEIGHTED_BANDS,
    CutPair,
    MsstSums,
    Sums,
)
from benchbench.metrics.spectral.pair import Pair
from benchbench.metrics.spectral.perceptual_sums import PerceptualSums
from benchbench.metrics.spectral.segments import Collector, collect

__all__ = ["SharedSums", "shared_sums"]

SPECTRAL: Final = "spectral"
PERCEPTUAL: Final = "mrstft-perceptual"
MSST: Final = "msst"

Levels: TypeAlias = tuple[float, float]
"""Bleedless and fullness."""


@dataclass(frozen=True)
class SharedSums:
    """The sums of one target, each computed when it is first asked for.

    Parameters
    ----------
    evaluation, index
        The target's track, and its index there.
    """

    evaluation: Evaluation
    index: int
    _passes: dict[str, _Pass] = field(default_factory=dict)

    def distances(self) -> tuple[DistanceSums, Levels]:
        """The sums of `spectral`, and bleedless and fullness."""
        done = self._of(SPECTRAL)
        return done.distances, done.levels[self.evaluation.references.sample_rate]

    def perceptual(self) -> Float64:
        """The sums of `mrstft-perceptual`, of shape (5, 3)."""
        return self._of(PERCEPTUAL).perceptual.total

    def msst(self, samples: int) -> tuple[Sums, Levels]:
        """The sums of `msst` over the first `samples` samples, and bleedless and fullness."""
        if samples == self.evaluation.references.samples:
            done = self._of(MSST)
        else:  # an estimate that is shorter; the other protocols pad it
            signals = CutPair(Pair(self.evaluation, self.index), samples)
            done = _Pass.over(signals, self.evaluation.references, [MSST])
        return done.msst.sums, done.levels[RATE]

    def _of(self, protocol: str) -> _Pass:
        if protocol not in self._passes:
            names = {protocol, *(self.evaluation.asked & {SPECTRAL, PERCEPTUAL, MSST})}
            signals = Pair(self.evaluation, self.index)
            done = _Pass.over(signals, self.evaluation.references, names)
            self._passes.update(dict.fromkeys(names, done))
        return self._passes[protocol]


def shared_sums(evaluation: Evaluation, index: int) -> SharedSums:
    """The sums of one target, shared by the protocols that are asked for."""
    return evaluation.kept(("spectrogram sums", index), lambda: SharedSums(evaluation, index))


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one pass over the signals gave; zeros for protocols that were not asked for.

    `levels` has bleedless and fullness by the sample rate that the mel bands are made for.
    """

    distances: DistanceSums
    perceptual: PerceptualSums
    msst: MsstSums
    levels: dict[int, Levels]

    @classmethod
    def over(cls, signals: Blocks, references: References, protocols: Collection[str]) -> _Pass:
        """Compute the sums of some protocols."""
        rate, channels = references.sample_rate, references.channels
        bands = references.kept(("msst bands",), _weighted_bands) if MSST in protocols else []
        distances, perceptual, msst = DistanceSums(channels), PerceptualSums(rate), MsstSums(bands)
        sums: dict[str, Collector] = {SPECTRAL: distances, PERCEPTUAL: perceptual, MSST: msst}
        rates = {SPECTRAL: [rate], MSST: [RATE]}
        levels = {
            one: MelLevels(signals, channels, _bands(references, one))
            for name in sorted(protocols)
            for one in rates.get(name, ())
        }
        collectors = [sums[name] for name in sorted(protocols)]
        collect(signals, [*collectors, *levels.values()], references.threads)
        scores = {one: each.bleed_and_fullness() for one, each in levels.items()}
        return cls(distances, perceptual, msst, scores)


def _bands(references: References, rate: int) -> MelBands:
    return references.kept(("mel bands", rate), lambda: MelBands.of(MEL_BANDS, MEL_STFT.size, rate))


def _weighted_bands() -> list[MelBands]:
    return [MelBands.of(WEIGHTED_BANDS, stft.size, RATE) for stft in WEIGHTED]
