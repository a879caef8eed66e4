"""The sums of all protocols of spectrograms that are asked for together, from one pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

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


@dataclass
class SharedSums:
    """The sums of one target; each is handed out once and computed when it is not there yet.

    Parameters
    ----------
    evaluation, index
        The target's track, and its index there.
    """

    evaluation: Evaluation
    index: int
    _held: dict[str, list[Collector]] = field(default_factory=dict)

    def distances(self) -> tuple[DistanceSums, Float64]:
        """The sums of `spectral`, and levels of shape (2, channels, frames, 512)."""
        sums, levels = self._of(SPECTRAL)
        assert isinstance(sums, DistanceSums)
        assert isinstance(levels, MelLevels)
        return sums, levels.levels

    def perceptual(self) -> Float64:
        """The sums of `mrstft-perceptual`, of shape (5, 3)."""
        (sums,) = self._of(PERCEPTUAL)
        assert isinstance(sums, PerceptualSums)
        return sums.total

    def msst(self, samples: int) -> tuple[Sums, Float64]:
        """The sums of `msst` over the first `samples` samples, and its levels."""
        if samples == self.evaluation.references.samples:
            sums, levels = self._of(MSST)
        else:  # an estimate that is shorter; the other protocols pad it
            signals = CutPair(Pair(self.evaluation, self.index), samples)
            sums, levels = _Collectors(self.evaluation.references, signals).of(MSST)
            collect(signals, [sums, levels], self.evaluation.references.threads)
        assert isinstance(sums, MsstSums)
        assert isinstance(levels, MelLevels)
        return sums.sums, levels.levels

    def _of(self, protocol: str) -> list[Collector]:
        if protocol not in self._held:
            asked = self.evaluation.asked & {SPECTRAL, PERCEPTUAL, MSST}
            signals = Pair(self.evaluation, self.index)
            collectors = _Collectors(self.evaluation.references, signals)
            made = {name: collectors.of(name) for name in sorted({protocol, *asked})}
            every = list({id(one): one for each in made.values() for one in each}.values())
            collect(signals, every, self.evaluation.references.threads)
            self._held.update(made)
        return self._held.pop(protocol)


def shared_sums(evaluation: Evaluation, index: int) -> SharedSums:
    """The sums of one target, shared by the protocols that are asked for."""
    return evaluation.kept(("spectrogram sums", index), lambda: SharedSums(evaluation, index))


@dataclass
class _Collectors:
    """Makes the collectors of each protocol; two protocols with the same levels share them."""

    references: References
    signals: Blocks
    _levels: dict[int, MelLevels] = field(default_factory=dict)

    def of(self, protocol: str) -> list[Collector]:
        """The collectors of one protocol."""
        rate = self.references.sample_rate
        if protocol == SPECTRAL:
            return [DistanceSums(self.references.channels), self._levels_at(rate)]
        if protocol == PERCEPTUAL:
            return [PerceptualSums(rate)]
        bands = self.references.kept(("msst bands",), _weighted_bands)
        return [MsstSums(bands), self._levels_at(RATE)]

    def _levels_at(self, rate: int) -> MelLevels:
        if rate not in self._levels:
            bands = self.references.kept(
                ("mel bands", rate), lambda: MelBands.of(MEL_BANDS, MEL_STFT.size, rate)
            )
            self._levels[rate] = MelLevels(self.signals, self.references.channels, bands)
        return self._levels[rate]


def _weighted_bands() -> list[MelBands]:
    return [MelBands.of(WEIGHTED_BANDS, stft.size, RATE) for stft in WEIGHTED]
