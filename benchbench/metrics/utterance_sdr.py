"""SDR of the whole track, as in the Music Demixing challenges."""

from __future__ import annotations

import numpy as np

from benchbench.metrics.base import ALL_TARGETS, Series
from benchbench.metrics.decibel import blank
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.inner_products import track_moments

__all__ = ["OFFSET", "evaluate"]

OFFSET = 1e-7
"""Added to both energies; with it silence scored against silence is 0 dB."""


def evaluate(evaluation: Evaluation) -> list[Series]:
    r"""SDR over all channels and samples of the track at once.

    .. math:: 10 \log_{10} \frac{\sum r^2 + \delta}{\sum (r - e)^2 + \delta},\qquad \delta = 10^{-7}

    Source: Y. Mitsufuji et al., "Music Demixing Challenge 2021", Frontiers in Signal Processing 1
    (2022). A silent reference has a value, but it only tells how loud the estimate is, so it
    carries the reason ``silent_reference``.
    """
    moments = track_moments(evaluation).over_channels()
    series = []
    signal = noise = 0.0
    for index, target in enumerate(evaluation.targets):
        reference = moments.reference[:, 0, evaluation.rows[index]]
        values = 10.0 * np.log10((reference + OFFSET) / (moments.error[:, 0, index] + OFFSET))
        reasons = blank(values.shape)
        reasons[reference == 0.0] = "silent_reference"
        series.append(Series(target, "SDR", values, reasons))
        signal += float(reference[0])
        noise += float(moments.error[0, 0, index])
    return [*series, _aggregated(evaluation, signal, noise)]


def _aggregated(evaluation: Evaluation, signal: float, noise: float) -> Series:
    r"""SA-SDR: the energies of all targets are added before the ratio is taken.

    .. math:: 10 \log_{10} \frac{\sum_j |r_j|^2 + \delta}{\sum_j |r_j - e_j|^2 + \delta}

    Source: T. von Neumann et al., "SA-SDR: A Novel Loss Function for Separation of Meeting Style
    Data", ICASSP 2022. A silent target counts with what its estimate holds, so there is a value
    whenever one target is not silent. A model that lacks a target has none (``missing_estimate``).
    """
    reasons = blank((1,))
    value = 10.0 * np.log10((signal + OFFSET) / (noise + OFFSET))
    if evaluation.missing:
        value, reasons[0] = np.nan, "missing_estimate"
    elif signal == 0.0:
        reasons[0] = "silent_reference"
    return Series(ALL_TARGETS, "SA-SDR", np.array([value]), reasons)
