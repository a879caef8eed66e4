"""SDR of the whole track, as in the Music Demixing challenges."""

from __future__ import annotations

import numpy as np

from benchbench.metrics.base import Series
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
    for index, target in enumerate(evaluation.targets):
        reference = moments.reference[:, 0, evaluation.rows[index]]
        values = 10.0 * np.log10((reference + OFFSET) / (moments.error[:, 0, index] + OFFSET))
        reasons = blank(values.shape)
        reasons[reference == 0.0] = "silent_reference"
        series.append(Series(target, "SDR", values, reasons))
    return series
