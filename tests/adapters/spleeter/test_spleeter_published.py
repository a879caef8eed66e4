"""The published 2stems weights on real music give the figures that the original gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import av
import numpy as np
import pytest
from spleeter_keras.inference import Separator

pytestmark = [pytest.mark.network, pytest.mark.slow]

# Whole-track SDR in dB that the original reaches on the same sum of the stems.
PUBLISHED = {"vocals": 5.18, "accompaniment": 12.13}


@pytest.fixture(scope="module")
def stems() -> np.ndarray:
    """Drums, bass, other and vocals of stempeg's example, float32 (4, 2, samples)."""
    # The package itself refuses to be imported where there is no ffmpeg program.
    package = Path(importlib.util.find_spec("stempeg").submodule_search_locations[0])
    path = next((package / "data").glob("*.stem.mp4"))
    tracks = []
    for stream in range(1, 5):
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray() for frame in container.decode(audio=stream)]
        tracks.append(np.concatenate(frames, axis=1))
    return np.stack(tracks).astype(np.float32)


def sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    reference, estimate = reference.astype(np.float64), estimate.astype(np.float64)
    return float(10 * np.log10(np.sum(reference**2) / np.sum((reference - estimate) ** 2)))


@pytest.mark.parametrize("runtime", ["onnx", "keras"])
def test_whole_track_sdr(published_weights, stems, runtime):
    separator = Separator.from_folder("2stems", published_weights, runtime=runtime)
    references = {"vocals": stems[3], "accompaniment": stems[:3].sum(axis=0)}
    estimates = separator.separate(stems.sum(axis=0), 44_100)
    for name, expected in PUBLISHED.items():
        assert sdr(references[name], estimates[name]) == pytest.approx(expected, abs=0.01), name
