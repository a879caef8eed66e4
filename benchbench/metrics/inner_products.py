"""Inner products of references, estimates and errors in every frame, in one pass over the audio.

The error is computed sample by sample before it is squared: as a difference of large energies, the
error energy of a good estimate would lose its digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from benchbench.metrics.arrays.parallel import ordered_map
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.framing import Framing
from benchbench.metrics.signals import Float64

__all__ = ["Moments", "frame_moments", "track_moments"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Second moments of F frames, C channels, J references and I estimates.

    Attributes
    ----------
    gram
        References with references, shape (F, C, J, J).
    cross
        References with estimates, shape (F, C, J, I).
    estimate, error
        Energies of the estimates and of estimate minus reference, shape (F, C, I).
    cancelled_reference, cancelled_estimate
        Whether the channels of a stem sum to exactly zero in the whole frame, which is museval's
        definition of silence; shapes (F, J) and (F, I).
    """

    gram: Float64
    cross: Float64
    estimate: Float64
    error: Float64
    cancelled_reference: npt.NDArray[np.bool_]
    cancelled_estimate: npt.NDArray[np.bool_]

    @property
    def reference(self) -> Float64:
        """Energies of the references, shape (F, C, J)."""
        return np.asarray(np.einsum("fcjj->fcj", self.gram))

    def over_channels(self) -> Moments:
        """The moments with all channels taken as one signal: C = 1."""
        return Moments(
            self.gram.sum(axis=1, keepdims=True),
            self.cross.sum(axis=1, keepdims=True),
            self.estimate.sum(axis=1, keepdims=True),
            self.error.sum(axis=1, keepdims=True),
            self.cancelled_reference,
            self.cancelled_estimate,
        )

    def over_frames(self) -> Moments:
        """The moments with all frames taken as one: F = 1."""
        return Moments(
            self.gram.sum(axis=0, keepdims=True),
            self.cross.sum(axis=0, keepdims=True),
            self.estimate.sum(axis=0, keepdims=True),
            self.error.sum(axis=0, keepdims=True),
            np.asarray(self.cancelled_reference.all(axis=0, keepdims=True)),
            np.asarray(self.cancelled_estimate.all(axis=0, keepdims=True)),
        )


def frame_moments(evaluation: Evaluation, framing: Framing) -> Moments:
    """Moments of each frame; kept for the next protocol that uses the same frames."""
    if framing.tiles:
        count = len(framing.frames)
        return _first(_segment_moments(evaluation, framing), count)
    return evaluation.kept(("moments", framing), lambda: _moments(evaluation, framing.frames))


def track_moments(evaluation: Evaluation) -> Moments:
    """Moments of the whole track, tail included: F = 1."""
    seconds = evaluation.references.seconds
    return evaluation.kept(
        ("moments", "track"), lambda: _segment_moments(evaluation, seconds).over_frames()
    )


def _segment_moments(evaluation: Evaluation, framing: Framing) -> Moments:
    return evaluation.kept(
        ("moments", "partition", framing.window),
        lambda: _moments(evaluation, framing.partition),
    )


def _moments(evaluation: Evaluation, frames: list[tuple[int, int]]) -> Moments:
    work = partial(_frame, evaluation)
    found = list(ordered_map(work, frames, evaluation.references.threads))
    return Moments(*(np.stack(column) for column in zip(*found, strict=True)))


def _frame(evaluation: Evaluation, bounds: tuple[int, int]) -> tuple[npt.NDArray[np.generic], ...]:
    references, estimates = evaluation.block(*bounds)
    by_channel = references.transpose(1, 0, 2)
    gram, cancelled = evaluation.references.kept(
        ("moments", bounds),
        lambda: (by_channel @ by_channel.swapaxes(1, 2), ~references.sum(axis=1).any(axis=1)),
    )
    cross = by_channel @ estimates.transpose(1, 2, 0)
    energy = np.einsum("icn,icn->ci", estimates, estimates)
    cancelled_estimate = ~estimates.sum(axis=1).any(axis=1)
    error = estimates
    for one, row in zip(error, evaluation.rows, strict=True):
        one -= references[row]
    return (
        gram,
        cross,
        energy,
        np.einsum("icn,icn->ci", error, error),
        cancelled,
        cancelled_estimate,
    )


def _first(moments: Moments, count: int) -> Moments:
    return Moments(*(getattr(moments, name)[:count] for name in moments.__slots__))
