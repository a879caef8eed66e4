"""ViSQOL in audio mode: predicted mean opinion score of an estimate, given its reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from metrics.visqol.visqol_audio.measure import mean_opinion_score
    from metrics.visqol.visqol_audio.quality import QualityModel
else:  # the folder is on the search path of the metric's process
    from visqol_audio.measure import mean_opinion_score
    from visqol_audio.quality import QualityModel

_MODEL = Path(__file__).with_name("libsvm_nu_svr_model.txt")
_SHORTEST = 46_080
"""Length of 45 frames in samples, enough for one patch."""

_model: list[QualityModel] = []


def load(weights: Path | None, options: dict[str, Any]) -> None:
    """Load the published regression model."""
    del weights, options
    _model[:] = [QualityModel.read(_MODEL)]


def measure(
    reference: npt.NDArray[np.float32], estimate: npt.NDArray[np.float32], sample_rate: int
) -> float | None:
    """MOS-LQO of one excerpt, 1 to 5; None for less than 0.96 s.

    Parameters
    ----------
    reference, estimate
        Mono audio of shape (1, samples).
    sample_rate
        48000, as declared in metric.toml.
    """
    del sample_rate
    if reference.shape[1] < _SHORTEST or not reference.any():
        return None
    first, second = (np.array(audio[0], dtype=np.float64) for audio in (reference, estimate))
    return mean_opinion_score(first, second, _model[0])
