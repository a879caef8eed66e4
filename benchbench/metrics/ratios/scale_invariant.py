r"""Scale-invariant ratios, which do not depend on the level of the estimate.

With the reference s, the estimate e and the scale :math:`\alpha = \langle e, s\rangle / |s|^2`
the target is :math:`\alpha s`; the projection of e onto all references splits the rest into
interference and artifacts. Source: J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR --
half-baked or well done?", ICASSP 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchbench.metrics.base import Series
from benchbench.metrics.decibel import Reasons, beside, blank, masked, noted, ratio_db
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.inner_products import Moments, track_moments
from benchbench.metrics.signals import Float64

__all__ = ["ILL_CONDITIONED", "evaluate", "scaled_energies"]

ILL_CONDITIONED = 1e12
"""Condition number of the references' Gram matrix above which interference is not determined."""

_CHUNK = 1 << 20
"""Samples that are read at a time, whatever the length of a frame."""

_CANCELLED = 1e-8
"""A difference of energies below this share of them is computed sample by sample instead."""


def evaluate(evaluation: Evaluation) -> list[Series]:
    """SI-SDR, SI-SIR, SI-SAR and SD-SDR, and the mean SI-SDR of the single channels.

    The first four take all channels as one long signal with one scale. ``SI-SDR-per-channel``
    scales each channel separately and averages the decibels over the channels that are not silent,
    so it does not count a shifted stereo balance as error.
    """
    moments = track_moments(evaluation)
    together = moments.over_channels()
    series: list[Series] = []
    for index, target in enumerate(evaluation.targets):
        row = evaluation.rows[index]
        silent_reference = together.reference[:, 0, row] == 0.0
        silent_estimate = together.estimate[:, 0, index] == 0.0
        parts = _decomposed(evaluation, together, index)
        ratios = {
            "SI-SDR": ratio_db(parts.target, parts.residual),
            "SI-SIR": ratio_db(parts.target, parts.interference),
            "SI-SAR": ratio_db(parts.target, parts.artifacts),
            "SD-SDR": ratio_db(parts.target, together.error[:, 0, index]),
            "SI-SDR-per-channel": _per_channel(evaluation, moments, index),
        }
        loose = np.full(1, parts.condition > ILL_CONDITIONED)
        for metric, (values, reasons) in ratios.items():
            if metric in ("SI-SIR", "SI-SAR"):
                reasons = beside(reasons, loose, "ill_conditioned")
            if metric == "SI-SIR" and len(evaluation.references.names) == 1:
                values, reasons = masked(values, reasons, ~loose | loose, "single_source")
            values, reasons = masked(values, reasons, silent_estimate, "silent_estimate")
            values, reasons = masked(values, reasons, silent_reference, "silent_reference")
            series.append(Series(target, metric, values, reasons))
    return series


def scaled_energies(
    evaluation: Evaluation, moments: Moments, index: int, frames: Sequence[tuple[int, int]]
) -> tuple[Float64, Float64]:
    """Energies of the scaled reference and of the rest of the estimate, by frame.

    Parameters
    ----------
    moments
        Moments of these frames, over channels.
    index
        Index of the target.
    frames
        First and last sample (exclusive) of each frame.

    Returns
    -------
    float64 arrays of shape (frames,)
    """
    row = evaluation.rows[index]
    reference, estimate = moments.reference[:, 0, row], moments.estimate[:, 0, index]
    inner = moments.cross[:, 0, row, index]
    scale = np.divide(inner, reference, out=np.zeros_like(inner), where=reference > 0)
    scaled = scale * inner
    residual = estimate - scaled
    for frame in map(int, np.flatnonzero(residual <= _CANCELLED * estimate)):
        weights = np.zeros((len(evaluation.references.names), 1))
        weights[row] = scale[frame]
        residual[frame] = _difference_energy(evaluation, index, weights, [frames[frame]])
    return scaled, residual


@dataclass(frozen=True, slots=True)
class _Parts:
    target: Float64
    residual: Float64
    interference: Float64
    artifacts: Float64
    condition: float


def _decomposed(evaluation: Evaluation, moments: Moments, index: int) -> _Parts:
    references = evaluation.references
    row = evaluation.rows[index]
    segments = references.seconds.partition
    target, residual = scaled_energies(evaluation, moments, index, [(0, references.samples)])
    gram, cross = moments.gram[0, 0], moments.cross[0, 0, :, index]
    weights, condition = _least_squares(gram, cross)
    artifacts = moments.estimate[0, 0, index] - weights @ cross
    if artifacts <= _CANCELLED * moments.estimate[0, 0, index]:
        artifacts = _difference_energy(evaluation, index, weights[:, None], segments)
    beside = weights.copy()
    if gram[row, row] > 0:
        beside[row] -= cross[row] / gram[row, row]
    interference = beside @ gram @ beside
    return _Parts(
        target, residual, np.atleast_1d(interference), np.atleast_1d(artifacts), condition
    )


def _least_squares(gram: Float64, cross: Float64) -> tuple[Float64, float]:
    """Weights of the references in the estimate, and the condition of the normalised Gram matrix.

    The references are normalised so that the condition depends on their similarity, not on their
    levels; silent ones are left out.
    """
    norm = np.sqrt(np.diag(gram))
    heard = norm > 0
    weights = np.zeros(len(gram))
    if not heard.any():
        return weights, 1.0
    unit = gram[np.ix_(heard, heard)] / np.outer(norm[heard], norm[heard])
    values, vectors = np.linalg.eigh(unit)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    vectors = vectors[:, kept]
    weights[heard] = vectors @ ((vectors.T @ (cross[heard] / norm[heard])) / values[kept])
    weights[heard] /= norm[heard]
    return weights, float(values[-1] / values[0]) if kept.all() else np.inf


def _per_channel(evaluation: Evaluation, moments: Moments, index: int) -> tuple[Float64, Reasons]:
    row = evaluation.rows[index]
    reference, estimate = moments.reference[0, :, row], moments.estimate[0, :, index]
    inner = moments.cross[0, :, row, index]
    heard = (reference > 0) & (estimate > 0)
    if not heard.any():
        return np.full(1, np.nan), blank((1,))
    scale = np.divide(inner, reference, out=np.zeros_like(inner), where=heard)
    residual = estimate - scale * inner
    for channel in np.flatnonzero(heard & (residual <= _CANCELLED * estimate)):
        weights = np.zeros((len(evaluation.references.names), 1))
        weights[row] = scale[channel]
        residual[channel] = _difference_energy(
            evaluation,
            index,
            weights,
            evaluation.references.seconds.partition,
            slice(channel, channel + 1),
        )
    values, reasons = ratio_db((scale * inner)[heard], residual[heard])
    capped = np.full(1, any(reason is not None for reason in reasons))
    return np.atleast_1d(values.mean()), noted(blank((1,)), capped, "capped")


def _difference_energy(
    evaluation: Evaluation,
    index: int,
    weights: Float64,
    frames: Sequence[tuple[int, int]],
    channels: slice = slice(None),
) -> float:
    """Energy of an estimate minus a weighted sum of the references, computed from the samples."""
    total = 0.0
    pieces = [
        (piece, min(piece + _CHUNK, stop))
        for start, stop in frames
        for piece in range(start, stop, _CHUNK)
    ]
    for start, stop in pieces:
        references, estimates = evaluation.block(start, stop)
        difference = estimates[index] - np.einsum("jk,jcn->cn", weights, references)
        total += float(np.vdot(difference[channels], difference[channels]))
    return total
