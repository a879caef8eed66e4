"""SDR by frequency band, for the whole track and for every second of it.

All band families use the same power spectra of references and errors: a Hann window of 4096
samples every 2048 samples. A frame belongs to the second that contains its centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from benchbench.metrics.arrays.mapped_arrays import mapped_zeros
from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.base import Series
from benchbench.metrics.decibel import Reasons, masked, ratio_db
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.references import References
from benchbench.metrics.signals import Blocks, Float64
from benchbench.metrics.spectral.mel import hz_to_mel, mel_to_hz
from benchbench.metrics.spectral.stft import Stft

__all__ = ["FLOOR_DB", "band_edges", "evaluate"]

Family = Literal["octave", "third", "mel"]

FLOOR_DB = -80.0
"""A band below this level, relative to the reference's average spectrum, has no value."""

_STFT = Stft(4096, 2048, padding="zeros")
_WINDOWS = 1024

_BATCH = 1 << 17
"""Samples that are transformed at a time, so that they and their spectra stay in cache."""

_MEL_BANDS = 32
_OCTAVE = 10.0**0.3


def evaluate(evaluation: Evaluation, *, family: Family = "octave") -> list[Series]:
    r"""SDR by band: over the track, and by second as ``SDR-windowed``.

    .. math:: 10 \log_{10} \frac{\sum_{f \in b} |R(f)|^2}{\sum_{f \in b} |R(f) - E(f)|^2}

    Parameters
    ----------
    family
        ``octave`` or ``third`` (IEC 61260-1, base ten, 31.5 Hz and 25 Hz upwards), or ``mel``
        (32 adjacent bands of equal width on Slaney's scale, up to half the rate).

    Notes
    -----
    A bin that lies across an edge counts in both bands in proportion. A band whose reference is
    80 dB below the reference's average spectrum has no value, with the reason ``below_floor``.
    """
    references = evaluation.references
    edges = band_edges(family, references.sample_rate)
    spectra = evaluation.kept(("band spectra",), lambda: _spectra(evaluation))
    weights = _bin_shares(edges, references.sample_rate)
    framing = references.seconds
    start_s, duration_s = framing.seconds(references.sample_rate)
    count = len(start_s)
    series = []
    for index, target in enumerate(evaluation.targets):
        reference = spectra.reference[:, evaluation.rows[index]]
        error = spectra.error[:, index]
        floor = 10.0 ** (FLOOR_DB / 10.0) * reference.sum(axis=1).mean()
        whole = _banded(
            reference.sum(axis=0)[None], error.sum(axis=0)[None], weights, floor * len(reference)
        )
        series.append(
            Series(
                target, "SDR", *whole, band_lo_hz=edges[:, 0].copy(), band_hi_hz=edges[:, 1].copy()
            )
        )
        windowed = _banded(reference[:count], error[:count], weights, floor)
        series.append(
            Series(
                target,
                "SDR-windowed",
                *windowed,
                np.repeat(start_s, len(edges)),
                np.repeat(duration_s, len(edges)),
                np.tile(edges[:, 0], count),
                np.tile(edges[:, 1], count),
            )
        )
    return series


def band_edges(family: Family, sample_rate: int) -> Float64:
    """Lower and upper edges in hertz, shape (bands, 2).

    Bands whose centre lies below half the rate; the highest one ends at half the rate.
    """
    top = sample_rate / 2.0
    if family == "mel":
        edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(np.array(top))), _MEL_BANDS + 1))
    else:
        per_octave = 1 if family == "octave" else 3
        steps = np.arange(-5, 5) if family == "octave" else np.arange(-16, 14)
        centres = 1000.0 * _OCTAVE ** (steps / per_octave)
        half = _OCTAVE ** (0.5 / per_octave)
        edges = np.append(centres / half, centres[-1] * half)
    bands = np.column_stack([edges[:-1], edges[1:]])
    bands = bands[np.sqrt(bands[:, 0] * bands[:, 1]) < top]
    return np.minimum(bands, top)


@dataclass(frozen=True, slots=True)
class _Spectra:
    """Power summed over channels by second: shapes (seconds, references or targets, bins)."""

    reference: Float64
    error: Float64


def _spectra(evaluation: Evaluation) -> _Spectra:
    references = evaluation.references
    known = references.kept(("band spectra",), lambda: _power_by_second(references, references))
    return _Spectra(known, _power_by_second(evaluation.errors, references))


def _power_by_second(signals: Blocks, references: References) -> Float64:
    """Power spectra summed over channels, shape (seconds, stems, bins)."""
    seconds = len(references.seconds.partition)
    chunks = list(_STFT.chunks(references.samples))
    total: Float64 | None = None
    for (first, last), power in zip(
        chunks, ordered_map(partial(_power, signals), chunks, references.threads), strict=True
    ):
        centres = np.arange(first, last) * _STFT.hop
        second = np.minimum(centres // references.sample_rate, seconds - 1)
        if total is None:
            total = mapped_zeros((seconds, power.shape[1], power.shape[2]))
        starts = np.flatnonzero(np.diff(second, prepend=-1))
        total[second[starts]] += np.add.reduceat(power, starts, axis=0)
    assert total is not None
    return total


def _power(signals: Blocks, chunk: tuple[int, int]) -> Float64:
    """Power summed over channels, shape (frames, stems, bins)."""
    block = _STFT.block(signals, chunk)
    out = np.empty((chunk[1] - chunk[0], len(block), _STFT.bins))
    first = 0
    for spectra in _STFT.batches(block, _BATCH):
        parts = spectra.view(np.float64)
        parts *= parts
        last = first + spectra.shape[2]
        channels = parts.sum(axis=1) if parts.shape[1] > 1 else parts[:, 0]
        np.add(channels[..., ::2], channels[..., 1::2], out=out[first:last].swapaxes(0, 1))
        first = last
    return out


def _bin_shares(edges: Float64, sample_rate: int) -> Float64:
    """How much of each bin's width lies in each band, shape (bands, bins)."""
    width = sample_rate / _STFT.size
    centres = np.arange(_STFT.size // 2 + 1) * width
    low = np.maximum(edges[:, :1], centres - width / 2)
    high = np.minimum(edges[:, 1:], centres + width / 2)
    return np.asarray(np.clip(high - low, 0.0, None) / width)


def _banded(
    reference: Float64, error: Float64, weights: Float64, floor: float
) -> tuple[Float64, Reasons]:
    """Values and reasons, flattened from (windows, bands)."""
    signal, noise = _summed(reference, weights), _summed(error, weights)
    return masked(*ratio_db(signal, noise), signal <= floor, "below_floor")


def _summed(spectra: Float64, weights: Float64) -> Float64:
    """Spectra summed by band, flattened; some windows at a time, because the product copies."""
    return np.concatenate(
        [
            (spectra[start : start + _WINDOWS] @ weights.T).ravel()
            for start in range(0, len(spectra), _WINDOWS)
        ]
    )
