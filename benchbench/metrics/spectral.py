"""Distances between magnitude spectrograms, with the parameters that the field uses.

L1-freq, STFT, bleedless and fullness follow ZFTurbo's Music-Source-Separation-Training; the STFT
losses in turn follow auraloss. All take every channel and average over channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from benchbench.metrics.base import Series
from benchbench.metrics.decibel import blank
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.mel import mel_filters
from benchbench.metrics.parallel import ordered_map
from benchbench.metrics.signals import Float64, Signals
from benchbench.metrics.stft import Stft

__all__ = ["evaluate"]

L1_STFT = Stft(2048, 1024, window="rectangular")
RESOLUTIONS = (Stft(1024, 256), Stft(2048, 512), Stft(4096, 1024))
MEL_STFT = Stft(4096, 1024, padding="zeros")
MEL_BANDS = 512
POWER_FLOOR = 1e-8
AMPLITUDE_FLOOR = 1e-10
TOP_DB = 80.0

_LONGEST = RESOLUTIONS[-1]


def evaluate(evaluation: Evaluation) -> list[Series]:
    """L1-freq, STFT, MR-STFT, LSD, bleedless and fullness of each target.

    All but LSD are turned into scores from 0 to 100, where 100 means equal spectrograms. A track
    that is not longer than half the longest window has no values (``too_short``).
    """
    series = []
    fits = _LONGEST.fits(evaluation.references.samples)
    for index, target in enumerate(evaluation.targets):
        scores = _scores(evaluation, index) if fits else dict.fromkeys(_METRICS, np.nan)
        for metric, score in scores.items():
            reasons = blank((1,)) if fits else np.full(1, "too_short", dtype=object)
            series.append(Series(target, metric, np.array([score], dtype=np.float64), reasons))
    return series


_METRICS = ("L1-freq", "STFT", "MR-STFT", "LSD", "bleedless", "fullness")


def _scores(evaluation: Evaluation, index: int) -> dict[str, float]:
    resolutions = [_compared(evaluation, index, stft) for stft in RESOLUTIONS]
    losses = [one.loss for one in resolutions]
    bleedless, fullness = _bleed_and_fullness(evaluation, index)
    return {
        "L1-freq": 100.0 / (1.0 + 10.0 * _compared(evaluation, index, L1_STFT).absolute),
        "STFT": 100.0 / (1.0 + 10.0 * losses[0]),
        "MR-STFT": 100.0 / (1.0 + 10.0 * float(np.mean(losses))),
        "LSD": resolutions[1].log_spectral,
        "bleedless": bleedless,
        "fullness": fullness,
    }


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Sums over frames and bins, of shape (channels,), of two magnitude spectrograms."""

    squared: Float64
    estimate: Float64
    linear: Float64
    logarithmic: Float64
    distances: Float64
    frames: int
    bins: int

    @property
    def absolute(self) -> float:
        """Mean of ``||E| - |R||``."""
        return float(self.linear.mean()) / (self.frames * self.bins)

    @property
    def loss(self) -> float:
        """Spectral convergence relative to the estimate plus the mean log-magnitude distance."""
        convergence = np.sqrt(self.squared / self.estimate)
        return float(convergence.mean() + self.logarithmic.mean() / (self.frames * self.bins))

    @property
    def log_spectral(self) -> float:
        """Mean over frames of the root mean square difference of the levels in decibels."""
        return float(self.distances.mean()) / self.frames


def _compared(evaluation: Evaluation, index: int, stft: Stft) -> _Comparison:
    references = evaluation.references
    work = partial(_compared_chunk, evaluation, index, stft)
    chunks = stft.chunks(references.samples)
    squared, estimate, linear, logarithmic, distances = sum(
        ordered_map(work, chunks, references.threads), start=np.zeros((5, references.channels))
    )
    frames, bins = stft.frames(references.samples), stft.size // 2 + 1
    return _Comparison(squared, estimate, linear, logarithmic, distances, frames, bins)


def _compared_chunk(
    evaluation: Evaluation, index: int, stft: Stft, chunk: tuple[int, int]
) -> Float64:
    row = int(evaluation.rows[index])
    reference = _power(stft, evaluation.references, row, chunk)
    estimate = _power(stft, evaluation.estimates, index, chunk)
    if stft.window == "rectangular":
        linear = np.abs(np.sqrt(estimate) - np.sqrt(reference)).sum(axis=(1, 2))
        nothing = np.zeros_like(linear)
        return np.stack([nothing, nothing, linear, nothing, nothing])
    reference, estimate = np.maximum(reference, POWER_FLOOR), np.maximum(estimate, POWER_FLOOR)
    difference = np.sqrt(estimate) - np.sqrt(reference)
    logs = np.log(reference) - np.log(estimate)
    levels = 10.0 / np.log(10.0) * np.sqrt((logs**2).mean(axis=2))
    return np.stack(
        [
            (difference**2).sum(axis=(1, 2)),
            estimate.sum(axis=(1, 2)),
            np.abs(difference).sum(axis=(1, 2)),
            0.5 * np.abs(logs).sum(axis=(1, 2)),
            levels.sum(axis=1),
        ]
    )


def _power(stft: Stft, signals: Signals, index: int, chunk: tuple[int, int]) -> Float64:
    spectra = stft.transform(signals, index, chunk)
    return np.asarray(spectra.real**2 + spectra.imag**2)


def _bleed_and_fullness(evaluation: Evaluation, index: int) -> tuple[float, float]:
    """How little the estimate has too much of, and how little it lacks, in 512 mel bands."""
    reference = _mel_levels(evaluation, evaluation.references, int(evaluation.rows[index]))
    difference = _mel_levels(evaluation, evaluation.estimates, index) - reference
    too_much, too_little = difference[difference > 0], -difference[difference < 0]
    return tuple(  # type: ignore[return-value]
        100.0 / (1.0 + (float(part.mean()) if part.size else 0.0))
        for part in (too_much, too_little)
    )


def _mel_levels(evaluation: Evaluation, signals: Signals, index: int) -> Float64:
    """Levels in decibels, shape (frames, channels, bands), not below the loudest minus 80 dB."""
    references = evaluation.references
    filters = references.kept(
        ("mel filters",), lambda: mel_filters(MEL_BANDS, MEL_STFT.size, references.sample_rate)
    )

    def levels(chunk: tuple[int, int]) -> Float64:
        magnitudes = np.sqrt(_power(MEL_STFT, signals, index, chunk)) @ filters.T
        return 20.0 * np.log10(np.maximum(magnitudes, AMPLITUDE_FLOOR))

    chunks = MEL_STFT.chunks(references.samples)
    found = np.concatenate(list(ordered_map(levels, chunks, references.threads)), axis=1)
    return np.asarray(np.maximum(found, found.max() - TOP_DB, out=found))
