"""How much of each reference each estimate holds: a matrix from the BSS Eval projection.

The projection of an estimate onto all delayed references is a sum with one part per reference. The
energy of each part, relative to the estimate, measures how much of that reference the estimate
holds, even if it is filtered or delayed by up to 511 samples.
"""

from __future__ import annotations

import numpy as np

from benchbench.metrics.base import Series
from benchbench.metrics.bsseval.frame_correlations import estimate_lags, reference_lags
from benchbench.metrics.bsseval.images import ILL_CONDITIONED, LAGS, track_systems
from benchbench.metrics.bsseval.projection import autocorrelation
from benchbench.metrics.decibel import PROJECTION_CAP_DB, beside, masked, ratio_db
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.inner_products import track_moments

__all__ = ["evaluate"]


def evaluate(evaluation: Evaluation) -> list[Series]:
    """The level of every reference in every estimate, over the whole track.

    One series for each target and reference: the metric ``bleed:drums`` of the target ``vocals``
    is the level of the drums in the vocals' estimate, in decibels relative to that estimate. The
    diagonal (``bleed:vocals`` of ``vocals``) is the wanted part. Parts may cancel one another, so a
    level can exceed 0 dB where the references are alike.
    """
    if not evaluation.targets:
        return []
    references = evaluation.references
    channels = references.channels
    framing = references.seconds
    cross = estimate_lags(evaluation, framing, LAGS).whole
    lags = reference_lags(references, framing, LAGS).whole
    system = track_systems(references, framing).every
    filters = system.solve(cross[None])[0]
    moments = track_moments(evaluation)
    energy = moments.estimate.sum(axis=1)[0]
    loose = system.condition > ILL_CONDITIONED
    series = []
    for index, target in enumerate(evaluation.targets):
        output = filters[:, :, index * channels : (index + 1) * channels]
        for row, name in enumerate(references.names):
            own = slice(row * channels, (row + 1) * channels)
            form = autocorrelation(output[:, own])
            part = np.atleast_1d(np.vdot(lags[:, own, own], form))
            values, reasons = ratio_db(np.maximum(part, 0.0), energy[index], PROJECTION_CAP_DB)
            reasons = beside(reasons, loose, "ill_conditioned")
            silent = np.atleast_1d(moments.reference[0, :, row].sum() == 0.0)
            values, reasons = masked(values, reasons, silent, "silent_reference")
            empty = np.atleast_1d(energy[index] == 0.0)
            values, reasons = masked(values, reasons, empty, "silent_estimate")
            series.append(Series(target, f"bleed:{name}", values, reasons))
    return series
