"""BSS Eval images: SDR, ISR, SIR and SAR by frame, versions 4 and 3, as museval computes them.

Version 4 fits the projection filters once to the whole track, version 3 in every frame. The
decomposition is described in `benchbench.metrics.bsseval.projection`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.base import Series
from benchbench.metrics.bsseval.frame_correlations import estimate_lags, reference_lags
from benchbench.metrics.bsseval.projection import (
    Energies,
    Filters,
    form_energies,
    projected_energies,
    solve_filters,
)
from benchbench.metrics.bsseval.toeplitz import ToeplitzSystem
from benchbench.metrics.decibel import (
    PROJECTION_CAP_DB,
    SDR_CAP_DB,
    Reasons,
    beside,
    blank,
    masked,
    noted,
    ratio_db,
)
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.framing import Framing
from benchbench.metrics.inner_products import frame_moments
from benchbench.metrics.references import References
from benchbench.metrics.signals import Float64

__all__ = ["ILL_CONDITIONED", "LAGS", "TrackSystems", "evaluate", "track_systems"]

LAGS = 512
"""Taps of the projection filters, as in BSS Eval 3 and museval."""

ILL_CONDITIONED = 1e12
"""Condition number above which projections are flagged.

Above it, museval's SIR and SAR change by hundredths of a decibel when noise of 1e-12 is added to
its input, so they are not a property of the audio.
"""

CONDITION_CAP = 20.0
"""Largest log10 of a condition number that is reported; used for singular systems."""

_FRAMES_AT_ONCE = 8

_FORMS_AT_ONCE = 1024
"""Frames whose quadratic forms are computed at a time, to keep their copies small."""

Silence = Literal["museval", "active"]


@dataclass(frozen=True, slots=True)
class TrackSystems:
    """The factorised Gram matrices of a track: of all references and of each reference alone."""

    every: ToeplitzSystem
    own: ToeplitzSystem


def evaluate(
    evaluation: Evaluation,
    *,
    window_s: float = 1.0,
    hop_s: float = 1.0,
    refit: bool = False,
    silence: Silence = "museval",
) -> list[Series]:
    """SDR, ISR, SIR, SAR and log10-condition of every target and frame.

    Parameters
    ----------
    window_s, hop_s
        Length and spacing of the frames in seconds.
    refit
        Whether the filters are fitted in every frame (version 3) or once (version 4).
    silence
        ``museval`` leaves a frame out for all targets if any reference or estimate is silent in
        it; ``active`` leaves out only the targets that are themselves silent, or whose estimate is.
    """
    references = evaluation.references
    if not evaluation.targets:
        return []
    framing = Framing.in_seconds(references.samples, references.sample_rate, window_s, hop_s)
    fit = _fitted_in_frames if refit else _fitted_once
    fitted = evaluation.kept(("bsseval", refit, framing), lambda: fit(evaluation, framing))
    start_s, duration_s = framing.seconds(references.sample_rate)
    series: list[Series] = []
    for index, target in enumerate(evaluation.targets):
        skipped = _skipped(evaluation, framing, index, silence)
        for metric, (values, reasons) in _ratios(evaluation, framing, fitted, index).items():
            for where, reason in skipped:
                values, reasons = masked(values, reasons, where, reason)
            series.append(Series(target, metric, values, reasons, start_s, duration_s))
        series.append(_condition_series(target, fitted, framing, references.sample_rate))
    return series


def track_systems(references: References, framing: Framing) -> TrackSystems:
    """The systems of the whole track; kept for the next model."""
    return references.kept(
        ("systems",),
        lambda: _systems(
            reference_lags(references, framing, LAGS).whole[None], references.channels
        ),
    )


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Energies by target, and condition numbers of the systems: of the track or of each frame.

    `condition_every` has shape (n,) and `condition_own` (J, n), with n the number of frames or 1.
    """

    energies: list[Energies]
    condition_every: Float64
    condition_own: Float64


def _systems(lags: Float64, channels: int) -> TrackSystems:
    """Systems of one or more frames from lag statistics of shape (S, L, M, M)."""
    blocks = [slice(i, i + channels) for i in range(0, lags.shape[-1], channels)]
    own = np.concatenate([lags[:, :, block, block] for block in blocks])
    return TrackSystems(ToeplitzSystem.of(lags), ToeplitzSystem.of(own))


def _fitted_once(evaluation: Evaluation, framing: Framing) -> _Fitted:
    cross = estimate_lags(evaluation, framing, LAGS)
    systems = track_systems(evaluation.references, framing)
    (filters,) = solve_filters(systems.every, systems.own, cross.whole[None], _rows(evaluation))
    count = len(framing.frames)
    chunks = [slice(i, min(i + _FORMS_AT_ONCE, count)) for i in range(0, count, _FORMS_AT_ONCE)]
    energies = [
        Energies.joined([_energies(evaluation, framing, index, one, some) for some in chunks])
        for index, one in enumerate(filters)
    ]
    return _Fitted(energies, systems.every.condition, systems.own.condition[:, None])


def _fitted_in_frames(evaluation: Evaluation, framing: Framing) -> _Fitted:
    references = evaluation.references
    count = len(framing.frames)
    chunks = [slice(i, min(i + _FRAMES_AT_ONCE, count)) for i in range(0, count, _FRAMES_AT_ONCE)]
    cross = estimate_lags(evaluation, framing, LAGS).frames
    lags = reference_lags(references, framing, LAGS).frames
    frame_moments(evaluation, framing)

    def fit(chunk: slice) -> _Fitted:
        systems = _systems(lags[chunk], references.channels)
        filters = solve_filters(systems.every, systems.own, cross[chunk], _rows(evaluation))
        parts = [
            [
                _energies(evaluation, framing, index, one, slice(frame, frame + 1))
                for index, one in enumerate(of_frame)
            ]
            for frame, of_frame in enumerate(filters, start=chunk.start)
        ]
        return _Fitted(
            [Energies.joined(column) for column in zip(*parts, strict=True)],
            systems.every.condition,
            systems.own.condition.reshape(-1, chunk.stop - chunk.start),
        )

    found = list(ordered_map(fit, chunks, references.threads))
    return _Fitted(
        [Energies.joined(c) for c in zip(*(one.energies for one in found), strict=True)],
        np.concatenate([one.condition_every for one in found]),
        np.concatenate([one.condition_own for one in found], axis=1),
    )


def _energies(
    evaluation: Evaluation, framing: Framing, index: int, filters: Filters, frames: slice
) -> Energies:
    """Energies of one target in some frames, projected in full where rounding is too large."""
    channels = evaluation.references.channels
    outputs = slice(index * channels, (index + 1) * channels)
    moments = frame_moments(evaluation, framing)
    energies, doubtful = form_energies(
        filters,
        reference_lags(evaluation.references, framing, LAGS).frames[frames],
        estimate_lags(evaluation, framing, LAGS).frames[frames, ..., outputs],
        moments.estimate[frames, :, index].sum(axis=1),
    )
    for frame in map(int, np.flatnonzero(doubtful)):
        references, estimates = evaluation.block(*framing.frames[frames.start + frame])
        flat = references.reshape(-1, references.shape[-1])
        energies.put(frame, projected_energies(filters, flat, estimates[index]))
    return energies


def _ratios(
    evaluation: Evaluation, framing: Framing, fitted: _Fitted, index: int
) -> dict[str, tuple[Float64, Reasons]]:
    moments = frame_moments(evaluation, framing)
    row, energies = evaluation.rows[index], fitted.energies[index]
    reference = moments.reference[:, :, row].sum(axis=1)
    error = moments.error[:, :, index].sum(axis=1)
    loose = np.broadcast_to(fitted.condition_every > ILL_CONDITIONED, reference.shape)
    loose_own = np.broadcast_to(fitted.condition_own[row] > ILL_CONDITIONED, reference.shape)
    found = {
        "SDR": ratio_db(reference, error, SDR_CAP_DB),
        "ISR": _flagged(reference, energies.spatial, loose_own),
        "SIR": _flagged(energies.own, energies.interference, loose),
        "SAR": _flagged(energies.every, energies.artifacts, loose),
    }
    if len(evaluation.references.names) == 1:
        found["SIR"] = masked(*found["SIR"], np.ones(reference.shape, dtype=bool), "single_source")
    return found


def _flagged(
    signal: Float64, noise: Float64, loose: npt.NDArray[np.bool_]
) -> tuple[Float64, Reasons]:
    values, reasons = ratio_db(signal, noise, PROJECTION_CAP_DB)
    return values, beside(reasons, loose, "ill_conditioned")


def _condition_series(target: str, fitted: _Fitted, framing: Framing, sample_rate: int) -> Series:
    values = np.log10(np.minimum(fitted.condition_every, 10.0**CONDITION_CAP))
    beyond = ~(fitted.condition_every < 10.0**CONDITION_CAP)
    reasons = noted(blank(values.shape), beyond, "capped")
    if len(values) == len(framing.frames) > 1:
        return Series(target, "log10-condition", values, reasons, *framing.seconds(sample_rate))
    return Series(target, "log10-condition", values[:1], reasons[:1])


def _skipped(
    evaluation: Evaluation, framing: Framing, index: int, silence: Silence
) -> list[tuple[npt.NDArray[np.bool_], str]]:
    """Which frames of a target have no value, and why; a later reason replaces an earlier one."""
    moments = frame_moments(evaluation, framing)
    row = evaluation.rows[index]
    if silence == "active":
        return [
            (moments.estimate[:, :, index].sum(axis=1) == 0.0, "silent_estimate"),
            (moments.reference[:, :, row].sum(axis=1) == 0.0, "silent_reference"),
        ]
    reference, estimate = moments.cancelled_reference, moments.cancelled_estimate
    anywhere = np.asarray(reference.any(axis=1) | estimate.any(axis=1))
    return [
        (anywhere, "silent_source_in_frame"),
        (np.full(anywhere.shape, estimate[:, index].all()), "silent_estimate"),
        (np.full(anywhere.shape, reference[:, row].all()), "silent_reference"),
    ]


def _rows(evaluation: Evaluation) -> list[int]:
    return [int(row) for row in evaluation.rows]
