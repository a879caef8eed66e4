"""Multi-resolution spectral loss of A-weighted audio, with auraloss's definitions.

For each of five window lengths from 256 to 4096 samples: spectral convergence plus the mean
distance of the logarithms of the magnitudes, after an A-weighting filter.
"""

from __future__ import annotations

import numpy as np

from benchbench.metrics.base import Series
from benchbench.metrics.decibel import blank
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.spectral.perceptual_sums import RESOLUTIONS
from benchbench.metrics.spectral.segments import FLOOR
from benchbench.metrics.spectral.sharing import shared_sums

__all__ = ["evaluate"]

_LONGEST = RESOLUTIONS[-1]


def evaluate(evaluation: Evaluation) -> list[Series]:
    """The loss of each target, 0 for equal spectrograms.

    The spectrograms of all channels are taken as one. A reference that is silent (no magnitude
    above the floor) has no value, since the difference is divided by its spectrogram
    (``silent_reference``). A track that is not longer than half the longest window has none either
    (``too_short``).

    Source: C. Steinmetz, J. Reiss, "auraloss: Audio focused loss functions in PyTorch", DMRN+15
    (2020), ``MultiResolutionSTFTLoss(perceptual_weighting=True)``.
    """
    series = []
    for index, target in enumerate(evaluation.targets):
        value, reason = _loss(evaluation, index)
        reasons = blank((1,))
        reasons[0] = reason
        series.append(Series(target, "MR-STFT", np.array([value]), reasons))
    return series


def _loss(evaluation: Evaluation, index: int) -> tuple[float, str | None]:
    references = evaluation.references
    samples = references.samples
    if not _LONGEST.fits(samples):
        return float("nan"), "too_short"
    total = shared_sums(evaluation, index).perceptual()
    cells = [stft.frames(samples) * stft.bins * references.channels for stft in RESOLUTIONS]
    if total[-1, 1] <= cells[-1] * FLOOR**2 * (1.0 + 1e-9):
        return float("nan"), "silent_reference"
    losses = [
        np.sqrt(squared / reference) + logarithmic / count
        for (squared, reference, logarithmic), count in zip(total, cells, strict=True)
    ]
    return float(np.mean(losses)), None
