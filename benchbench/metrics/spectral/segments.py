"""One pass over a reference and its estimate for everything that needs their spectrograms.

Three protocols use the same transforms. Each segment of audio is read once, each transform is
computed once, and its frames are handed to all parts that need it. A part adds them to its sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.signals import Blocks, Float64
from benchbench.metrics.spectral.stft import Stft, mirrored

__all__ = ["FLOOR", "REACH", "Collector", "Need", "Part", "Segment", "Transform", "collect"]

FLOOR: Final = 1e-4
"""Floor of magnitudes: the square root of the floor of powers, 1e-8."""

REACH: Final = 2048
"""Half of the longest window: samples that a frame reaches beyond its centre."""

_CHUNK: Final = 1 << 17
"""Length of a segment in samples, a multiple of every hop."""

_BATCH: Final = 1 << 17
"""Samples that are transformed at a time, so that they and their spectra stay in cache."""

Form: TypeAlias = Literal["spectra", "magnitudes", "floored"]
"""Complex values, magnitudes, or magnitudes that are not below `FLOOR`."""

Take: TypeAlias = Callable[[npt.NDArray[Any]], None]
"""Receives frames of shape (2, channels, frames, bins), reference first; must not change them."""


@dataclass(frozen=True, slots=True)
class Transform:
    """A transform of the signals, or of the signals after an A-weighting filter.

    Parameters
    ----------
    stft
        Window length at most twice `REACH`, padded by reflection.
    weighted
        The sample rate in hertz that the filter is designed for; None: no filter.
    """

    stft: Stft
    weighted: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """The frames that a part needs, in which form, and the function that receives them."""

    transform: Transform
    form: Form
    take: Take


class Part(Protocol):
    """What one collector needs of a segment, and its sums over that segment."""

    def needs(self) -> Iterable[Need]:
        """The frames that are centred in the segment."""


class Collector(Protocol):
    """Makes a part for each segment, and adds the parts up in order."""

    def part(self, segment: Segment) -> Part:
        """The part of a segment; called in any thread."""

    def add(self, part: Any) -> None:
        """Add a finished part; called in the order of the segments."""


@dataclass(frozen=True)
class Segment:
    """The frames that are centred on the samples from `start` to `stop`.

    Parameters
    ----------
    signals
        Two stems: reference and estimate.
    """

    signals: Blocks
    start: int
    stop: int

    @cached_property
    def plain(self) -> Float64:
        """The signals with `REACH` more samples at either end, continued by reflection."""
        return mirrored(self.signals, self.start - REACH, self.stop - 1 + REACH)

    def batches(self, transform: Transform) -> Iterator[npt.NDArray[np.complex128]]:
        """Spectra of shape (2, channels, frames, bins)."""
        stft = transform.stft
        stretch = self.plain if transform.weighted is None else self._weighted(transform.weighted)
        last = (self.stop - 1) // stft.hop * stft.hop
        first = REACH - stft.size // 2
        return stft.batches(
            stretch[..., first : last - self.start + REACH + stft.size // 2], _BATCH
        )

    def _weighted(self, rate: int) -> Float64:
        if rate not in self._filtered:
            filtered = _AWeighted(self.signals, rate)
            self._filtered[rate] = mirrored(filtered, self.start - REACH, self.stop - 1 + REACH)
        return self._filtered[rate]

    _filtered: dict[int, Float64] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _AWeighted:
    """Signals after auraloss's A-weighting filter of 101 taps."""

    signals: Blocks
    rate: int

    @property
    def samples(self) -> int:
        """Length in samples; the filter keeps it."""
        return self.signals.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (2, channels, stop - start), not zero beyond the ends."""
        # These import scipy.signal, which takes longer than scoring a short excerpt without filter.
        from scipy import signal

        from benchbench.metrics.spectral.a_weighting import TAPS, a_weighting

        source = self.signals.block(start - TAPS // 2, stop + TAPS // 2)
        taps = np.array(a_weighting(self.rate))[None, None]
        return np.asarray(signal.oaconvolve(source, taps, mode="valid", axes=-1))


def collect(signals: Blocks, collectors: Sequence[Collector], threads: int) -> None:
    """Pass over the signals once, for all collectors.

    Parameters
    ----------
    signals
        Two stems: reference and estimate.
    collectors
        What receives the frames.
    threads
        Number of segments that are computed at a time.
    """
    # Frames may be centred on the position after the last sample.
    edges = [*range(0, signals.samples + 1, _CHUNK), signals.samples + 1]
    work = partial(_parts, signals, collectors)
    for parts in ordered_map(work, list(pairwise(edges)), threads):
        for collector, part in zip(collectors, parts, strict=True):
            collector.add(part)


def _parts(signals: Blocks, collectors: Sequence[Collector], bounds: tuple[int, int]) -> list[Part]:
    segment = Segment(signals, *bounds)
    parts = [collector.part(segment) for collector in collectors]
    takes: dict[Transform, dict[Form, list[Take]]] = {}
    for part in parts:
        for need in part.needs():
            forms = takes.setdefault(need.transform, {})
            forms.setdefault(need.form, []).append(need.take)
    for transform, forms in takes.items():
        for spectra in segment.batches(transform):
            _hand_over(spectra, forms)
    return parts


def _hand_over(spectra: npt.NDArray[np.complex128], forms: dict[Form, list[Take]]) -> None:
    for take in forms.get("spectra", ()):
        take(spectra)
    if forms.keys() <= {"spectra"}:
        return
    magnitudes = np.abs(spectra)
    for take in forms.get("magnitudes", ()):
        take(magnitudes)
    if "floored" in forms:
        np.maximum(magnitudes, FLOOR, out=magnitudes)
        for take in forms["floored"]:
            take(magnitudes)
