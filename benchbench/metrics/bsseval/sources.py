"""BSS Eval sources: SDR, SIR and SAR of mono sources over the whole track.

A filter of 512 taps applied to the reference does not count as error, so this SDR is more lenient
than that of images. Channels are averaged first: the statistics of the mono signals are averages of
those of the channels, so no further pass over the audio is needed.

Source: E. Vincent, R. Gribonval, C. Fevotte, "Performance measurement in blind audio source
separation", IEEE TASLP 14 (2006); as in ``mir_eval.separation.bss_eval_sources``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy import fft
from scipy.optimize import linear_sum_assignment

from benchbench.metrics.arrays.fast_length import fast_length
from benchbench.metrics.base import Series
from benchbench.metrics.bsseval.frame_correlations import estimate_lags, reference_lags
from benchbench.metrics.bsseval.images import ILL_CONDITIONED, LAGS
from benchbench.metrics.bsseval.projection import autocorrelation
from benchbench.metrics.bsseval.toeplitz import ToeplitzSystem
from benchbench.metrics.decibel import PROJECTION_CAP_DB, Reasons, beside, masked, ratio_db
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.inner_products import track_moments
from benchbench.metrics.references import References
from benchbench.metrics.signals import Float64

__all__ = ["evaluate"]

_METRICS = ("SDR", "SIR", "SAR")
_CANCELLED = 1e-8


def evaluate(evaluation: Evaluation, *, permute: bool = False) -> list[Series]:
    """SDR, SIR and SAR of each target.

    Parameters
    ----------
    permute
        Whether estimates may be matched to any reference, such that the mean SIR is highest, for
        separators that do not name their outputs. A target then has the values of the
        estimate that was matched to it; a target without a matched estimate has no values.
    """
    if not evaluation.targets:
        return []
    table = evaluation.kept(("sources",), lambda: _table(evaluation))
    rows, chosen = evaluation.rows, np.arange(len(evaluation.targets))
    if permute:
        sir = np.nan_to_num(table["SIR"][0], nan=-1e3)
        rows, chosen = linear_sum_assignment(sir, maximize=True)
    series = []
    for row, index in zip(rows, chosen, strict=True):
        target = evaluation.references.names[row]
        for metric in _METRICS:
            values, reasons = table[metric]
            at = (slice(row, row + 1), index)
            series.append(Series(target, metric, values[at], reasons[at]))
    return series


@dataclass(frozen=True, slots=True)
class _Energies:
    """Energies of the projections of each estimate on each reference, shapes (J, I) and (I,)."""

    target: Float64
    interference: Float64
    distortion: Float64
    every: Float64
    artifacts: Float64


def _table(evaluation: Evaluation) -> dict[str, tuple[Float64, Reasons]]:
    """Values and reasons of every reference with every estimate, shape (J, I)."""
    references = evaluation.references
    estimate_lags(evaluation, references.seconds, LAGS)  # the same pass gives the references' own
    every, own = references.kept(("mono systems",), lambda: _mono_systems(references))
    energies = _energies(evaluation, every, own)
    shape = energies.target.shape
    ratios = {
        "SDR": ratio_db(energies.target, energies.distortion, PROJECTION_CAP_DB),
        "SIR": ratio_db(energies.target, energies.interference, PROJECTION_CAP_DB),
        "SAR": ratio_db(
            np.broadcast_to(energies.every, shape), energies.artifacts, PROJECTION_CAP_DB
        ),
    }
    moments = track_moments(evaluation)
    silent_reference = np.broadcast_to(moments.cancelled_reference.T, shape)
    silent_estimate = np.broadcast_to(moments.cancelled_estimate, shape)
    loose = {
        "SDR": np.broadcast_to((own.condition > ILL_CONDITIONED)[:, None], shape),
        "SIR": np.full(shape, every.condition[0] > ILL_CONDITIONED),
        "SAR": np.full(shape, every.condition[0] > ILL_CONDITIONED),
    }
    out = {}
    for metric, (values, reasons) in ratios.items():
        reasons = beside(reasons, loose[metric], "ill_conditioned")
        if metric == "SIR" and len(references.names) == 1:
            values, reasons = masked(values, reasons, np.ones(shape, dtype=bool), "single_source")
        values, reasons = masked(values, reasons, silent_estimate, "silent_estimate")
        out[metric] = masked(values, reasons, silent_reference, "silent_reference")
    return out


def _mono(lags: Float64, channels: int) -> Float64:
    """Lag statistics of channel means, shape (lags, J, I), from those of all channels."""
    count, rows, columns = lags.shape
    split = lags.reshape(count, rows // channels, channels, columns // channels, channels)
    return np.asarray(split.mean(axis=(2, 4)))


def _mono_systems(references: References) -> tuple[ToeplitzSystem, ToeplitzSystem]:
    lags = _mono(reference_lags(references, references.seconds, LAGS).whole, references.channels)
    alone = np.einsum("ljj->jl", lags)[:, :, None, None]
    return ToeplitzSystem.of(lags[None]), ToeplitzSystem.of(alone.copy())


def _energies(evaluation: Evaluation, every: ToeplitzSystem, own: ToeplitzSystem) -> _Energies:
    references = evaluation.references
    framing = references.seconds
    lags = _mono(reference_lags(references, framing, LAGS).whole, references.channels)
    cross = _mono(estimate_lags(evaluation, framing, LAGS).whole, references.channels)
    together = every.solve(cross[None])[0]
    alone = own.solve(cross.transpose(1, 0, 2)[:, :, None, :])[:, :, 0]
    estimate = _mono_energy(evaluation)
    sources, outputs = cross.shape[1:]
    target, interference, distortion = (np.empty((sources, outputs)) for _ in range(3))
    every_energy, artifacts = np.empty(outputs), np.empty(outputs)
    for i in range(outputs):
        all_filters = together[:, :, i : i + 1]
        every_energy[i] = np.vdot(lags, autocorrelation(all_filters))
        artifacts[i] = estimate[i] - 2 * np.vdot(cross[..., i], all_filters) + every_energy[i]
        if artifacts[i] <= _CANCELLED * estimate[i]:
            artifacts[i] = _residual_energy(evaluation, i, all_filters)
        for j in range(sources):
            filters = np.zeros_like(all_filters)
            filters[:, j, 0] = alone[j, :, i]
            target[j, i] = np.vdot(lags, autocorrelation(filters))
            interference[j, i] = np.vdot(lags, autocorrelation(all_filters - filters))
            distortion[j, i] = estimate[i] - 2 * np.vdot(cross[..., i], filters[..., 0])
            distortion[j, i] += target[j, i]
            if distortion[j, i] <= _CANCELLED * estimate[i]:
                distortion[j, i] = _residual_energy(evaluation, i, filters)
    return _Energies(target, interference, distortion, every_energy, artifacts)


def _mono_energy(evaluation: Evaluation) -> Float64:
    energy = np.zeros(len(evaluation.targets))
    for start, stop in evaluation.references.seconds.partition:
        mono = evaluation.estimates.block(start, stop).mean(axis=1)
        energy += np.einsum("in,in->i", mono, mono)
    return energy


def _residual_energy(evaluation: Evaluation, index: int, filters: Float64) -> float:
    """Energy of an estimate minus a filtered sum of the references, computed from the samples."""
    history = len(filters) - 1
    references = evaluation.references
    edges = [*range(0, references.samples + history, references.sample_rate)]
    edges.append(references.samples + history)
    total = 0.0
    for start, stop in pairwise(edges):
        x = references.block(start - history, stop).mean(axis=1)
        e = evaluation.estimates.block(start, stop)[index].mean(axis=0)
        size = fast_length(stop - start + 2 * history)
        response = fft.rfft(filters[..., 0], size, axis=0).T
        filtered = fft.irfft((response * fft.rfft(x, size)).sum(axis=0), size)
        difference = e - filtered[history : history + stop - start]
        total += float(np.vdot(difference, difference))
    return total
