"""All sums over a reference and its estimate that `msst` needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from benchbench.metrics.signals import Float64
from benchbench.metrics.spectral.mel import MelBands
from benchbench.metrics.spectral.pair import Pair
from benchbench.metrics.spectral.segments import REACH, Need, Segment, Transform
from benchbench.metrics.spectral.stft import Stft, hann

__all__ = ["COMPLEX", "RATE", "RECTANGULAR", "WEIGHTED", "CutPair", "MsstSums", "Sums"]

RATE = 44_100
"""MSST uses the filters for this rate at any rate of the audio."""

RECTANGULAR = Stft(2048, 1024, window="rectangular")
AURA = Stft(1024, 256)
WEIGHTED = (Stft(1024, 256), Stft(2048, 512), Stft(4096, 1024))
COMPLEX = (Stft(512, 128), Stft(1024, 256), Stft(2048, 512))
WEIGHTED_BANDS = 128


@dataclass(frozen=True, slots=True)
class CutPair:
    """A reference and its estimate as two stems, over their common length.

    Parameters
    ----------
    pair
        Reference and estimate of one target.
    samples
        The length of the shorter one.
    """

    pair: Pair
    samples: int

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (2, channels, stop - start), zeros beyond the ends."""
        block = self.pair.block(start, stop)
        block[..., max(0, self.samples - start) :] = 0.0
        return block


@dataclass(slots=True)
class Sums:
    """Sums over a track or a part of it.

    Attributes
    ----------
    time
        Sums of the squares of reference, estimate and difference, of the products of difference and
        reference, and of the absolute differences and references: shape (6,).
    absolute
        Sum of the absolute differences of the rectangular transform's magnitudes.
    aura
        For STFT and the three weighted mel STFTs: squared differences and estimates, and absolute
        differences of logarithms; shape (4, 3).
    complex_parts
        For the three transforms of L1-SNR: absolute values of the real and imaginary parts of the
        difference, then of the reference; shape (3, 4).
    """

    time: Float64
    absolute: float
    aura: Float64
    complex_parts: Float64

    @classmethod
    def zeros(cls) -> Sums:
        """Sums that are all zero."""
        return cls(np.zeros(6), 0.0, np.zeros((4, 3)), np.zeros((3, 4)))

    def add(self, other: Sums) -> None:
        """Add the sums of another part of the track."""
        self.time += other.time
        self.absolute += other.absolute
        self.aura += other.aura
        self.complex_parts += other.complex_parts


class MsstSums:
    """The sums of a track.

    Parameters
    ----------
    bands
        The mel bands of each of `WEIGHTED`.

    Attributes
    ----------
    sums
        Over all channels.
    """

    def __init__(self, bands: Sequence[MelBands]) -> None:
        self._bands = bands
        self.sums = Sums.zeros()

    def part(self, segment: Segment) -> _Part:
        """See `benchbench.metrics.spectral.segments.Collector`."""
        sums = Sums.zeros()
        inside = min(segment.stop, segment.signals.samples) - segment.start
        sums.time += _time_sums(*segment.plain[..., REACH : REACH + inside])
        return _Part(self._bands, sums)

    def add(self, part: _Part) -> None:
        """Add the sums of a segment."""
        self.sums.add(part.sums)


@dataclass(frozen=True, slots=True)
class _Part:
    bands: Sequence[MelBands]
    sums: Sums

    def needs(self) -> Iterable[Need]:
        yield Need(Transform(RECTANGULAR), "magnitudes", self._add_absolute)
        for row, stft in zip(self.sums.complex_parts, COMPLEX, strict=True):
            norm = float(np.sqrt((hann(stft.size) ** 2).sum()))
            yield Need(Transform(stft), "spectra", partial(_add_complex, row, norm))
        yield Need(Transform(AURA), "floored", partial(_add_aura, self.sums.aura[0]))
        for row, stft, mel in zip(self.sums.aura[1:], WEIGHTED, self.bands, strict=True):
            yield Need(Transform(stft, RATE), "floored", partial(_add_banded, row, mel))

    def _add_absolute(self, magnitudes: Float64) -> None:
        difference = magnitudes[1] - magnitudes[0]
        self.sums.absolute += float(np.abs(difference, out=difference).sum())


def _time_sums(reference: Float64, estimate: Float64) -> Float64:
    difference = estimate - reference
    return np.array(
        [
            np.vdot(reference, reference),
            np.vdot(estimate, estimate),
            np.vdot(difference, difference),
            np.vdot(difference, reference),
            np.abs(difference).sum(),
            np.abs(reference).sum(),
        ]
    )


def _add_complex(total: Float64, norm: float, both: npt.NDArray[Any]) -> None:
    """Add sums of the absolute values of real and imaginary parts: of the difference, the reference."""
    reference, estimate = both
    sums = []
    for spectra in (estimate - reference, reference):
        parts = np.abs(spectra.view(np.float64))  # real and imaginary parts take turns
        by_bin = parts.reshape(-1, parts.shape[-1]).sum(axis=0)
        sums += [by_bin[0::2].sum(), by_bin[1::2].sum()]
    total += np.array(sums) / norm


def _add_aura(total: Float64, magnitudes: Float64) -> None:
    """Add the sums of frames of shape (2, channels, frames, bins)."""
    reference, estimate = magnitudes
    difference = estimate - reference
    total[0] += np.vdot(difference, difference)
    total[1] += np.vdot(estimate, estimate)
    logs = np.log(np.divide(estimate, reference, out=difference), out=difference)
    total[2] += np.abs(logs, out=logs).sum()


def _add_banded(total: Float64, mel: MelBands, magnitudes: Float64) -> None:
    _add_aura(total, mel.of_magnitudes(magnitudes))
