"""Lag statistics of every frame and of the whole track, in one pass over the audio.

Where the frames tile the track, the statistics of the whole track are those of its segments plus
the products across their borders, so one pass gives both. Other hops need a second pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchbench.metrics.arrays.mapped_arrays import mapped_zeros
from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.bsseval.correlations import (
    Spectra,
    block_spectra,
    correlate,
    history_spectra,
    spectra_bytes,
    straddle,
)
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.framing import Framing
from benchbench.metrics.references import References
from benchbench.metrics.signals import Float64, Signals

__all__ = ["LagStatistics", "estimate_lags", "reference_lags"]


@dataclass(frozen=True, slots=True)
class LagStatistics:
    """Lag statistics of references with other signals.

    Attributes
    ----------
    frames
        Shape (frames, lags, reference signals, other signals), zeros outside each frame. A signal
        is one channel of one stem; the channels of a stem are neighbours.
    whole
        Shape (lags, reference signals, other signals), of the whole track.
    """

    frames: Float64
    whole: Float64


def reference_lags(references: References, framing: Framing, lags: int) -> LagStatistics:
    """Lag statistics of the references with each other; kept for the next model."""
    return references.kept(
        _key(framing, lags), lambda: _statistics(references, [references], framing, lags)[0]
    )


def estimate_lags(evaluation: Evaluation, framing: Framing, lags: int) -> LagStatistics:
    """Lag statistics of the references with the estimates; kept for the next protocol.

    The references' own statistics come from the same pass if they are not kept yet, so that their
    spectra are computed once. Call this before `reference_lags`.
    """
    references, estimates = evaluation.references, evaluation.estimates
    return evaluation.kept(
        _key(framing, lags), lambda: _with_estimates(references, estimates, framing, lags)
    )


def _key(framing: Framing, lags: int) -> tuple[str, Framing, int]:
    return "lags", framing, lags


def _with_estimates(
    references: References, estimates: Signals, framing: Framing, lags: int
) -> LagStatistics:
    same_pass: list[LagStatistics] = []

    def both() -> LagStatistics:
        own, cross = _statistics(references, [references, estimates], framing, lags)
        same_pass.append(cross)
        return own

    references.kept(_key(framing, lags), both)
    return (same_pass or _statistics(references, [estimates], framing, lags))[0]


def _statistics(
    references: References, others: Sequence[Signals], framing: Framing, lags: int
) -> list[LagStatistics]:
    """Lag statistics of the references with each of `others`, in one pass."""
    frames, partition = framing.frames, framing.partition
    shared = framing.tiles
    rows = len(references.names) * references.channels
    shapes = [(lags, rows, len(other.names) * references.channels) for other in others]
    statistics = [
        LagStatistics(mapped_zeros((len(frames), *shape)), np.zeros(shape)) for shape in shapes
    ]
    for index, segments in enumerate(_segments(references, others, partition, lags)):
        for one, segment in zip(statistics, segments, strict=True):
            one.whole[...] += segment.statistics + segment.straddling
            if shared and index < len(frames):
                one.frames[index] = segment.statistics
    if not shared:
        for index, segments in enumerate(_segments(references, others, frames, lags)):
            for one, segment in zip(statistics, segments, strict=True):
                one.frames[index] = segment.statistics
    return statistics


@dataclass(frozen=True, slots=True)
class _Segment:
    statistics: Float64
    straddling: Float64


def _segments(
    references: References, others: Sequence[Signals], segments: list[tuple[int, int]], lags: int
) -> Iterator[list[_Segment]]:
    work = partial(_segment, references, others, lags)
    return ordered_map(work, segments, references.threads)


def _segment(
    references: References, others: Sequence[Signals], lags: int, bounds: tuple[int, int]
) -> list[_Segment]:
    """Statistics of one segment of the references with each of `others`."""
    start, stop = bounds
    before = _flat(references.block(start - lags + 1, start))
    spectra = _reference_spectra(references, bounds, lags)
    segments = []
    for other in others:
        y = _flat(other.block(start, stop))
        statistics = correlate(spectra, block_spectra(y, lags), stop - start, lags)
        segments.append(_Segment(statistics, straddle(before, y[:, : lags - 1], lags)))
    return segments


def _reference_spectra(references: References, bounds: tuple[int, int], lags: int) -> Spectra:
    """Spectra of the references in a segment, kept while the cache has room for them."""
    start, stop = bounds
    size = spectra_bytes(stop - start, len(references.names) * references.channels, lags)

    def compute() -> Spectra:
        return history_spectra(_flat(references.block(start, stop)), lags)

    return references.kept_if_room(("spectra", bounds, lags), size, compute)


def _flat(block: Float64) -> Float64:
    return block.reshape(-1, block.shape[-1])
