"""The ten metrics of ZFTurbo's Music-Source-Separation-Training (MSST), with its parameters.

Its definitions differ from ours in details (offsets, one norm over all channels, filters for
44.1 kHz at any rate), so they form a separate protocol. Numbers from MSST's logs and numbers
computed here are comparable and may be in the same column.
"""

from __future__ import annotations

import math

import numpy as np

from benchbench.metrics.base import Series
from benchbench.metrics.decibel import blank
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.ratios.utterance_sdr import MOVED_DB
from benchbench.metrics.signals import Float64
from benchbench.metrics.spectral import logwmse
from benchbench.metrics.spectral.distances import SOFTEST
from benchbench.metrics.spectral.msst_sums import (
    COMPLEX,
    RATE,
    RECTANGULAR,
    WEIGHTED,
    WEIGHTED_BANDS,
    Sums,
)
from benchbench.metrics.spectral.sharing import shared_sums

__all__ = ["evaluate"]

OFFSET = 1e-8
"""Added to energies, so that silence has a value."""

K_SDR = 10.0
L1_OFFSET = 1e-3
QUIETEST_DB = -60.0
METRICS = (
    *("SDR", "K-SDR", "SI-SDR", "L1-freq", "logWMSE"),
    *("aura-STFT", "aura-MRSTFT", "L1-SNR", "bleedless", "fullness"),
)


def evaluate(evaluation: Evaluation) -> list[Series]:
    """The metrics of each target over the common length of reference and estimate.

    A silent reference has values, as in MSST, with the reason ``silent_reference``. Audio so soft,
    or an estimate so good, that MSST's offsets dominate has values with the reason ``too_soft``. A
    track that is not longer than half the longest window has none (``too_short``).
    """
    series = []
    for index, target in enumerate(evaluation.targets):
        length = evaluation.estimates.lengths[target]
        samples = min(length, evaluation.references.samples)
        reasons = blank((1,))
        if WEIGHTED[-1].fits(samples):
            scores, reason = _scores(evaluation, index, samples)
            if reason:
                reasons[:] = reason
            elif length < evaluation.references.samples:
                reasons[:] = "reference_trimmed"
        else:
            scores = dict.fromkeys(METRICS, np.nan)
            reasons[:] = "too_short"
        series += [
            Series(target, metric, np.array([scores[metric]], dtype=np.float64), reasons.copy())
            for metric in METRICS
        ]
    return series


def _scores(
    evaluation: Evaluation, index: int, samples: int
) -> tuple[dict[str, float], str | None]:
    """The metrics of one target, and the reason to distrust them."""
    sums, (bleedless, fullness) = shared_sums(evaluation, index).msst(samples)
    channels = evaluation.references.channels
    sdr = _decibels((sums.time[0] + OFFSET) / (sums.time[2] + OFFSET))
    count = RECTANGULAR.frames(samples) * RECTANGULAR.bins * channels
    sizes = [WEIGHTED[0].bins, *[WEIGHTED_BANDS] * len(WEIGHTED)]
    frames = [WEIGHTED[0].frames(samples), *(stft.frames(samples) for stft in WEIGHTED)]
    losses = [
        math.sqrt(squared / estimate) + logarithmic / (bins * count_ * channels)
        for (squared, estimate, logarithmic), bins, count_ in zip(
            sums.aura, sizes, frames, strict=True
        )
    ]
    scores = {
        "SDR": sdr,
        "K-SDR": _k_sdr(sdr),
        "SI-SDR": _si_sdr(sums.time, samples * channels),
        "L1-freq": _score(sums.absolute / count),
        "logWMSE": logwmse.score(evaluation, index, rate=RATE, samples=samples),
        "aura-STFT": _score(losses[0]),
        "aura-MRSTFT": _score(float(np.mean(losses[1:]))),
        "L1-SNR": _l1_snr(sums, samples, channels),
        "bleedless": bleedless,
        "fullness": fullness,
    }
    return scores, _distrust(evaluation, index, sums)


def _distrust(evaluation: Evaluation, index: int, sums: Sums) -> str | None:
    """The reason to distrust a target's numbers: silence, or offsets and floors that dominate."""
    signal, noise = float(sums.time[0]), float(sums.time[2])
    if signal == 0.0:
        return "silent_reference"
    row = int(evaluation.rows[index])
    loudest = max(evaluation.references.peak(row), evaluation.estimates.peak(index))
    moved = abs(_decibels((1.0 + OFFSET / signal) / (1.0 + OFFSET / max(noise, 1e-300))))
    return "too_soft" if loudest < SOFTEST or moved > MOVED_DB else None


def _decibels(ratio: float) -> float:
    return 10.0 * math.log10(ratio)


def _score(distance: float) -> float:
    """A distance as a score from 0 to 100."""
    return 100.0 / (1.0 + 10.0 * distance)


def _k_sdr(sdr: float) -> float:
    """The SDR, limited to 10 dB either way and turned into a score from 0 to 100."""
    held = max(min(sdr, K_SDR), -K_SDR + 1e-6)
    return 100.0 * math.log1p(held + K_SDR) / math.log1p(2.0 * K_SDR)


def _si_sdr(time: Float64, count: int) -> float:
    """SI-SDR with one scale for all channels; the offset is added to every sample's product."""
    reference, _, difference, inner, *_ = map(float, time)
    scale = (inner + reference + OFFSET * count) / (reference + OFFSET * count)
    left = difference + 2.0 * (1.0 - scale) * inner + (1.0 - scale) ** 2 * reference
    return _decibels(scale**2 * reference / (max(left, 0.0) + OFFSET) + OFFSET)


def _l1_snr(sums: Sums, samples: int, channels: int) -> float:
    """L1-SNR: half from the signals, with a penalty for another level, half from the spectra."""
    reference, estimate, _, _, error, absolute = sums.time / (samples * channels)
    level = 10.0 * math.log10(reference + OFFSET)
    distance = abs(10.0 * math.log10(estimate + OFFSET) - level)
    weight = 0.1
    if level > max(10.0 * math.log10(estimate + OFFSET), QUIETEST_DB):
        weight += 0.9 * min(distance / max(level - QUIETEST_DB, 1e-6), 1.0)
    in_time = _decibels((error + L1_OFFSET) / (absolute + L1_OFFSET)) + weight * distance
    in_frequency = 0.0
    for stft, parts in zip(COMPLEX, sums.complex_parts, strict=True):
        means = parts / (stft.frames(samples) * stft.bins * channels) + L1_OFFSET
        in_frequency += _decibels(means[0] / means[2]) + _decibels(means[1] / means[3])
    return -0.5 * (in_time + in_frequency / len(COMPLEX))
