"""Distances between the embeddings of an estimate and of its reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import soxr
from scipy import linalg

if TYPE_CHECKING:
    from metrics.embedding_mse.embeddings_musicnn import (
        MUSICNN_RATE,
        musicnn_embeddings,
        read_network,
    )
else:  # the folder is on the search path of the metric's process
    from embeddings_musicnn import MUSICNN_RATE, musicnn_embeddings, read_network

Audio = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_embed: list[Callable[[Audio, int], Float64]] = []


def load(weights: Path, options: dict[str, Any]) -> None:
    """Load the user's network, or musicnn."""
    if options["model"]:
        _embed[:] = [_users_network(str(options["model"]), int(options["model_rate"]))]
        return
    network = read_network(weights / ".data-00000-of-00001")
    _embed[:] = [
        lambda audio, rate: musicnn_embeddings(network, _at_rate(audio, rate, MUSICNN_RATE))
    ]


def measure(reference: Audio, estimate: Audio, sample_rate: int) -> float | None:
    """Mean squared difference of the embeddings; None where the audio is too short for one."""
    first, second = _both(reference, estimate, sample_rate)
    return float(np.mean((first - second) ** 2)) if len(first) else None


def frechet_distance(reference: Audio, estimate: Audio, sample_rate: int) -> float | None:
    """Frechet distance between Gaussians over the embeddings; None for fewer than two."""
    first, second = _both(reference, estimate, sample_rate)
    if len(first) < 2:
        return None
    shift = first.mean(axis=0) - second.mean(axis=0)
    covariances = _covariance(first), _covariance(second)
    cross = linalg.eigvals(covariances[0] @ covariances[1])
    root = np.sqrt(np.maximum(cross.real, 0.0)).sum()
    spread = np.trace(covariances[0]) + np.trace(covariances[1])
    return float(max(shift @ shift + spread - 2.0 * root, 0.0))


def _both(reference: Audio, estimate: Audio, rate: int) -> tuple[Float64, Float64]:
    first, second = (_embed[0](np.array(audio[0]), rate) for audio in (reference, estimate))
    shared = min(len(first), len(second))
    return first[:shared], second[:shared]


def _covariance(embeddings: Float64) -> Float64:
    """Covariance, shrunk halfway to a multiple of the identity: embeddings are few."""
    sample = np.cov(embeddings, rowvar=False)
    return np.asarray(0.5 * sample + 0.5 * np.trace(sample) / len(sample) * np.eye(len(sample)))


def _at_rate(audio: Audio, rate: int, to_rate: int) -> Audio:
    return audio if rate == to_rate else np.asarray(soxr.resample(audio, rate, to_rate))


def _users_network(file: str, to_rate: int) -> Callable[[Audio, int], Float64]:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def embed(audio: Audio, rate: int) -> Float64:
        output = session.run(None, {name: _at_rate(audio, rate, to_rate)[None]})[0]
        return np.asarray(output, dtype=np.float64).reshape(-1, output.shape[-1])

    return embed
