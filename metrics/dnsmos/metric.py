"""DNSMOS (P.835): three opinion scores of estimated speech or singing, without a reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

Audio = npt.NDArray[np.float32]

SAMPLES = 144_160
"""Length of the network's input: 9.01 s at 16 kHz."""

POLYNOMIALS = {
    "SIG": (-0.08397278, 1.22083953, 0.0052439),
    "BAK": (-0.13166888, 1.60915514, -0.39604546),
    "OVRL": (-0.06766283, 1.11546468, 0.04602535),
}
"""Mapping from the network's outputs to the scale of P.835."""

_session: list[Any] = []


def load(weights: Path, options: dict[str, Any]) -> None:
    """Load the network."""
    del options
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    file = str(weights / "sig_bak_ovr.onnx")
    _session[:] = [onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])]


def measure(estimate: Audio, sample_rate: int) -> dict[str, float | None]:
    """SIG, BAK and OVRL of an excerpt of shape (1, samples) at 16 kHz.

    A shorter excerpt is repeated up to the network's length, as in the authors' code; a silent one
    has no score.
    """
    del sample_rate
    if not estimate.any():
        return dict.fromkeys(POLYNOMIALS)
    audio = np.resize(np.clip(estimate[0], -1.0, 1.0), SAMPLES).astype(np.float32)
    raw = _session[0].run(None, {"input_1": audio[None]})[0][0]
    scores = zip(POLYNOMIALS.items(), raw, strict=True)
    return {name: float(np.clip(np.polyval(curve, x), 0.0, 5.0)) for (name, curve), x in scores}
