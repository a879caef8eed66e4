"""SDR of the whole track, as in the Music Demixing challenges."""

from __future__ import annotations

import numpy as np

from benchbench.metrics.base import ALL_TARGETS, Series
from benchbench.metrics.decibel import Reasons, blank, noted
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.inner_products import track_moments
from benchbench.metrics.signals import Float64

__all__ = ["OFFSET", "evaluate"]

OFFSET = 1e-7
"""Added to both energies, so that silence scored against silence is 0 dB."""

MOVED_DB = 0.01
"""Change of a ratio by the offset above which ``too_soft`` is set."""


def evaluate(evaluation: Evaluation) -> list[Series]:
    r"""SDR over all channels and samples of the track at once.

    .. math:: 10 \log_{10} \frac{\sum r^2 + \delta}{\sum (r - e)^2 + \delta},\qquad \delta = 10^{-7}

    Source: Y. Mitsufuji et al., "Music Demixing Challenge 2021", Frontiers in Signal Processing 1
    (2022). A silent reference has a value, but it only depends on the level of the estimate, so it
    has the reason ``silent_reference``. Where the offset changes the ratio by more than 0.01 dB,
    the number depends on the level of the audio and has the reason ``too_soft``.
    """
    moments = track_moments(evaluation).over_channels()
    series = []
    signal = noise = 0.0
    for index, target in enumerate(evaluation.targets):
        reference = moments.reference[:, 0, evaluation.rows[index]]
        values, reasons = _ratio(reference, moments.error[:, 0, index])
        series.append(Series(target, "SDR", values, reasons))
        signal += float(reference[0])
        noise += float(moments.error[0, 0, index])
    return [*series, _aggregated(evaluation, signal, noise)]


def _aggregated(evaluation: Evaluation, signal: float, noise: float) -> Series:
    r"""SA-SDR: the energies of all targets are added before the ratio is taken.

    .. math:: 10 \log_{10} \frac{\sum_j |r_j|^2 + \delta}{\sum_j |r_j - e_j|^2 + \delta}

    Source: T. von Neumann et al., "SA-SDR: A Novel Loss Function for Separation of Meeting Style
    Data", ICASSP 2022. The estimate of a silent target counts as error, so there is a value
    whenever one target is not silent. A model that lacks a target has none (``missing_estimate``).
    """
    values, reasons = _ratio(np.array([signal]), np.array([noise]))
    if evaluation.missing:
        values, reasons = np.full(1, np.nan), noted(reasons, np.full(1, True), "missing_estimate")
    return Series(ALL_TARGETS, "SA-SDR", values, reasons)


def _ratio(signal: Float64, noise: Float64) -> tuple[Float64, Reasons]:
    """The ratio in decibels; with a reason where the offset changes it by more than 0.01 dB."""
    values = 10.0 * np.log10((signal + OFFSET) / (noise + OFFSET))
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.abs(values - 10.0 * (np.log10(signal) - np.log10(noise))) > MOVED_DB
    reasons = noted(blank(values.shape), moved, "too_soft")
    return values, noted(reasons, signal == 0.0, "silent_reference")
