"""SDR and SI-SDR over sliding windows, to find where in a track a separation fails."""

from __future__ import annotations

from benchbench.metrics.base import Series
from benchbench.metrics.decibel import masked, ratio_db
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.framing import Framing
from benchbench.metrics.inner_products import frame_moments
from benchbench.metrics.ratios.scale_invariant import scaled_energies

__all__ = ["evaluate"]


def evaluate(evaluation: Evaluation, *, window_s: float = 1.0, hop_s: float = 1.0) -> list[Series]:
    """SDR and SI-SDR of each target in each window.

    Parameters
    ----------
    window_s, hop_s
        Length and spacing of the windows in seconds. As in museval, a partial last window is left
        out, and a track that is shorter than a window is one window.

    Notes
    -----
    Both take all channels together. A window in which the reference is silent has no value; one in
    which only the estimate is silent has an SDR (0 dB) and no SI-SDR.
    """
    references = evaluation.references
    framing = Framing.in_seconds(references.samples, references.sample_rate, window_s, hop_s)
    times = framing.seconds(references.sample_rate)
    moments = frame_moments(evaluation, framing).over_channels()
    series = []
    for index, target in enumerate(evaluation.targets):
        reference = moments.reference[:, 0, evaluation.rows[index]]
        silent = (reference == 0.0, "silent_reference")
        sdr = masked(*ratio_db(reference, moments.error[:, 0, index]), *silent)
        scaled, residual = scaled_energies(evaluation, moments, index, framing.frames)
        si_sdr = masked(
            *ratio_db(scaled, residual), moments.estimate[:, 0, index] == 0.0, "silent_estimate"
        )
        series.append(Series(target, "SDR", *sdr, *times))
        series.append(Series(target, "SI-SDR", *masked(*si_sdr, *silent), *times))
    return series
