"""Lag statistics of every frame and of the whole track, in one pass over the audio.

Where the frames tile the track, the statistics of the whole track are those of its segments plus
the products across their borders, so one pass gives both. Other hops need a second pass.
"""

from __future__ import annotations

from collections.abc import Iterator
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
        ("lags", framing, lags), lambda: _statistics(references, references, framing, lags)
    )


def estimate_lags(evaluation: Evaluation, framing: Framing, lags: int) -> LagStatistics:
    """Lag statistics of the references with the estimates; kept for the next protocol."""
    return evaluation.kept(
        ("lags", framing, lags),
        lambda: _statistics(evaluation.references, evaluation.estimates, framing, lags),
    )


def _statistics(
    references: References, others: Signals, framing: Framing, lags: int
) -> LagStatistics:
    frames, partition = framing.frames, framing.partition
    shared = framing.tiles
    shape = (
        lags,
        len(references.names) * references.channels,
        len(others.names) * references.channels,
    )
    out = mapped_zeros((len(frames), *shape))
    whole = np.zeros(shape)
    for index, segment in enumerate(_segments(references, others, partition, lags)):
        whole += segment.statistics + segment.straddling
        if shared and index < len(frames):
            out[index] = segment.statistics
    if not shared:
        for index, segment in enumerate(_segments(references, others, frames, lags)):
            out[index] = segment.statistics
    return LagStatistics(out, whole)


@dataclass(frozen=True, slots=True)
class _Segment:
    statistics: Float64
    straddling: Float64


def _segments(
    references: References, others: Signals, segments: list[tuple[int, int]], lags: int
) -> Iterator[_Segment]:
    work = partial(_segment, references, others, lags)
    return ordered_map(work, segments, references.threads)


def _segment(
    references: References, others: Signals, lags: int, bounds: tuple[int, int]
) -> _Segment:
    start, stop = bounds
    before = _flat(references.block(start - lags + 1, start))
    y = _flat(others.block(start, stop))
    statistics = correlate(
        _reference_spectra(references, bounds, lags),
        block_spectra(y, lags),
        stop - start,
        lags,
    )
    return _Segment(statistics, straddle(before, y[:, : lags - 1], lags))


def _reference_spectra(references: References, bounds: tuple[int, int], lags: int) -> Spectra:
    """Spectra of the references in a segment, kept while the cache has room for them."""
    start, stop = bounds
    size = spectra_bytes(stop - start, len(references.names) * references.channels, lags)

    def compute() -> Spectra:
        return history_spectra(_flat(references.block(start, stop)), lags)

    return references.kept_if_room(("spectra", bounds, lags), size, compute)


def _flat(block: Float64) -> Float64:
    return block.reshape(-1, block.shape[-1])
