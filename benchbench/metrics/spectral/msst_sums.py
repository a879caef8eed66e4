"""All sums over a reference and its estimate that `msst` needs, in one pass.

Each segment of audio is read once; each transform yields sums over its frames and bins, and the
sums of all segments add up to those of the track.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import signal

from benchbench.metrics.arrays.mapped_arrays import mapped_zeros
from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.signals import Blocks, Float64
from benchbench.metrics.spectral.mel import MelBands
from benchbench.metrics.spectral.mrstft_perceptual import TAPS, a_weighting
from benchbench.metrics.spectral.pair import Pair
from benchbench.metrics.spectral.stft import Stft, hann, mirrored

__all__ = ["COMPLEX", "RATE", "RECTANGULAR", "WEIGHTED", "CutPair", "Sums", "pair_sums"]

RATE = 44_100
"""MSST uses the filters for this rate at any rate of the audio."""

RECTANGULAR = Stft(2048, 1024, window="rectangular")
AURA = Stft(1024, 256)
WEIGHTED = (Stft(1024, 256), Stft(2048, 512), Stft(4096, 1024))
COMPLEX = (Stft(512, 128), Stft(1024, 256), Stft(2048, 512))
MEL_STFT = Stft(4096, 1024, padding="zeros")
FLOOR = 1e-4
"""Floor of magnitudes: the square root of auraloss's floor of powers, 1e-8."""

MEL_FLOOR = 1e-10
_CHUNK = 1 << 17
"""Length of a segment in samples, a multiple of every hop."""

_BATCH = 1 << 17


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


@dataclass(frozen=True, slots=True)
class _AWeighted:
    """A signal after auraloss's A-weighting filter of 101 taps."""

    signals: Blocks

    @property
    def samples(self) -> int:
        """Length in samples; the filter keeps it."""
        return self.signals.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (2, channels, stop - start), not zero beyond the ends."""
        source = self.signals.block(start - TAPS // 2, stop + TAPS // 2)
        taps = np.array(a_weighting(RATE))[None, None]
        return np.asarray(signal.oaconvolve(source, taps, mode="valid", axes=-1))


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


def pair_sums(pair: CutPair) -> tuple[Sums, Float64]:
    """The sums of a track, and its levels in mel bands.

    Returns
    -------
    sums
        Over all channels.
    levels
        Levels of reference and estimate in decibels, shape (2, channels, frames, 512).
    """
    references = pair.pair.evaluation.references
    bands = references.kept(("msst bands",), _bands)
    edges = [*range(0, pair.samples + 1, _CHUNK), pair.samples + 1]
    shape = (2, references.channels, MEL_STFT.frames(pair.samples), bands[-1].count)
    levels = mapped_zeros(shape)
    total, done = Sums.zeros(), 0
    work = partial(_chunk, pair, bands)
    for part, part_levels in ordered_map(work, list(pairwise(edges)), references.threads):
        total.add(part)
        levels[:, :, done : done + part_levels.shape[2]] = part_levels
        done += part_levels.shape[2]
    return total, levels


def _bands() -> list[MelBands]:
    """The bands of the three weighted transforms, and of bleedless and fullness."""
    weighted = [MelBands.of(128, stft.size, RATE) for stft in WEIGHTED]
    return [*weighted, MelBands.of(512, MEL_STFT.size, RATE)]


def _chunk(pair: CutPair, bands: list[MelBands], bounds: tuple[int, int]) -> tuple[Sums, Float64]:
    """The sums of the frames that are centred in a segment."""
    start, stop = bounds
    reach = WEIGHTED[-1].size // 2
    plain = mirrored(pair, start - reach, stop - 1 + reach)
    weighted = mirrored(_AWeighted(pair), start - reach, stop - 1 + reach)

    def spectra(stretch: Float64, stft: Stft) -> Iterator[npt.NDArray[np.complex128]]:
        last = (stop - 1) // stft.hop * stft.hop
        first = reach - stft.size // 2
        block = stretch[..., first : last - start + reach + stft.size // 2]
        return stft.batches(block, _BATCH)

    sums = Sums.zeros()
    inside = plain[..., reach : reach + min(stop, pair.samples) - start]
    sums.time += _time_sums(*inside)
    for both in spectra(plain, RECTANGULAR):
        reference, estimate = np.abs(both)
        estimate -= reference
        sums.absolute += float(np.abs(estimate, out=estimate).sum())
    for row, stft in zip(sums.complex_parts, COMPLEX, strict=True):
        for both in spectra(plain, stft):
            row += _complex_sums(*both) / np.sqrt((hann(stft.size) ** 2).sum())
            if stft == AURA:
                _add_aura(sums.aura[0], _floored(both))
    for row, stft, mel in zip(sums.aura[1:], WEIGHTED, bands[:-1], strict=True):
        for both in spectra(weighted, stft):
            _add_aura(row, mel.of_magnitudes(_floored(both)))
    padded = pair.block(start - reach, stop - 1 + reach)
    levels = [_levels(bands[-1], np.abs(both)) for both in spectra(padded, MEL_STFT)]
    return sums, np.concatenate(levels, axis=2)


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


def _complex_sums(reference: npt.NDArray[Any], estimate: npt.NDArray[Any]) -> Float64:
    """Sums of the absolute values of real and imaginary parts: of the difference, the reference."""
    sums = []
    for spectra in (estimate - reference, reference):
        parts = np.abs(spectra.view(np.float64))  # real and imaginary parts take turns
        by_bin = parts.reshape(-1, parts.shape[-1]).sum(axis=0)
        sums += [by_bin[0::2].sum(), by_bin[1::2].sum()]
    return np.array(sums)


def _floored(spectra: npt.NDArray[np.complex128]) -> Float64:
    """Magnitudes, not below `FLOOR`."""
    magnitudes = np.abs(spectra)
    return np.asarray(np.maximum(magnitudes, FLOOR, out=magnitudes))


def _add_aura(total: Float64, magnitudes: Float64) -> None:
    """Add the sums of frames of shape (2, channels, frames, bins)."""
    reference, estimate = magnitudes
    difference = estimate - reference
    total[0] += np.vdot(difference, difference)
    total[1] += np.vdot(estimate, estimate)
    logs = np.log(np.divide(estimate, reference, out=difference), out=difference)
    total[2] += np.abs(logs, out=logs).sum()


def _levels(mel: MelBands, magnitudes: Float64) -> Float64:
    """Levels in decibels of the mel bands, bands last."""
    return np.asarray(20.0 * np.log10(np.maximum(mel.of_magnitudes(magnitudes), MEL_FLOOR)))
