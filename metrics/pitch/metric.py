"""Standard measures of pitch and voicing for the melody of estimated vocals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

Audio = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

HOP = 256
"""Frame length in samples at 16 kHz: 16 ms."""

VOICED = 0.5
"""Lowest confidence of a frame with a pitch."""

TOLERANCE_CENTS = 50.0
LOWEST_HZ, HIGHEST_HZ = 46.875, 2093.75
SILENT = 1e-3
"""A frame whose samples are all below this has no pitch, as in swift-f0."""

_FRAMES, _BEFORE, _AFTER = 1024, 64, 64
"""Frames per batch, and frames of context on each side."""

_session: list[Any] = []


def load(weights: Path, options: dict[str, Any]) -> None:
    """Load the network."""
    del options
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    file = str(weights / "model.onnx")
    _session[:] = [onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])]


def measure(reference: Audio, estimate: Audio, sample_rate: int) -> dict[str, float | None]:
    """Raw pitch accuracy, voicing recall and false alarm of audio (1, samples) at 16 kHz."""
    del sample_rate
    if reference.shape[1] < 4 * HOP:
        return dict.fromkeys(("raw-pitch-accuracy", "voicing-recall", "voicing-false-alarm"))
    return compared(pitches(reference[0]), pitches(estimate[0]))


def pitches(audio: Audio) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """Pitch in hertz and voicing of each frame of 16 ms."""
    frames = len(audio) // HOP
    found = []
    for first in range(0, frames, _FRAMES):
        last = min(first + _FRAMES, frames)
        start = max(0, first - _BEFORE)
        window = np.asarray(audio[start * HOP : (last + _AFTER) * HOP], dtype=np.float32)
        limits = {"fmin": np.float32(LOWEST_HZ), "fmax": np.float32(HIGHEST_HZ)}
        given = {"audio": window[None], **{name: np.asarray(x) for name, x in limits.items()}}
        pitch, confidence = _session[0].run(["pitch", "confidence"], given)
        own = slice(first - start, last - start)
        found.append(np.stack([pitch[0][own], confidence[0][own]]).astype(np.float64))
    pitch, confidence = np.concatenate(found, axis=1)
    loud = np.abs(audio[: frames * HOP].reshape(frames, HOP)).max(axis=1) >= SILENT
    return pitch, (confidence >= VOICED) & loud


def compared(
    reference: tuple[Float64, npt.NDArray[np.bool_]],
    estimate: tuple[Float64, npt.NDArray[np.bool_]],
) -> dict[str, float | None]:
    """The measures of two melodies on the same frames.

    Raw pitch accuracy is the share of the reference's voiced frames whose pitch, voiced or not, is
    within half a semitone. Recall and false alarm are the shares of the reference's voiced and
    unvoiced frames that are voiced in the estimate. None where there is no such frame.
    """
    (true, sung), (given, voiced) = reference, estimate
    heard = sung & (given > 0)
    cents = np.full(len(true), np.inf)
    cents[heard] = 1200.0 * np.abs(np.log2(given[heard] / true[heard]))
    return {
        "raw-pitch-accuracy": _share(cents < TOLERANCE_CENTS, sung),
        "voicing-recall": _share(voiced, sung),
        "voicing-false-alarm": _share(voiced, ~sung),
    }


def _share(holds: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float | None:
    return float((holds & among).sum() / among.sum()) if among.any() else None
