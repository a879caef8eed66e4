"""ViSQOL against visqol-python itself, on 20 clips of the demo's songs: ``tox -e visqol``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soxr
from scipy import signal

from benchbench.datasets.dataset import open_dataset
from benchbench.io.audio.audio_files import read
from benchbench.plugins.catalog import Catalog

FOLDER = Path(__file__).parents[1] / "metrics" / "visqol"
SECONDS = 5

pytestmark = [pytest.mark.peer, pytest.mark.timeout(1200)]


def clips():
    """Vocals of two songs, and ten estimates of each: bleed, noise, filters, gain, delay, other stems."""
    rng = np.random.default_rng(0)
    for track in open_dataset(Catalog().dataset("demo")).tracks[:2]:
        stems = {name: read(source.path)[0] for name, source in track.stems.items()}
        vocals, mixture = stems["vocals"], np.sum(list(stems.values()), axis=0)
        low = signal.butter(6, 3000, fs=44100, output="sos")
        estimates = [
            mixture, vocals + 0.1 * (mixture - vocals), np.round(vocals * 64) / 64,
            signal.sosfilt(low, vocals), signal.sosfilt(low, mixture), 0.3 * vocals,
            np.roll(vocals, 441, axis=1), vocals + 0.01 * rng.standard_normal(vocals.shape),
            stems["drums"], vocals,
        ]  # fmt: skip
        for estimate in estimates:
            yield tuple(
                soxr.resample(audio.mean(axis=0).astype(np.float64), 44100, 48000)[
                    : 48000 * SECONDS
                ]
                for audio in (vocals, estimate)
            )


def test_numbers_are_visqol_pythons():
    visqol = pytest.importorskip("visqol")
    sys.path.insert(0, str(FOLDER))
    from visqol_audio.measure import mean_opinion_score
    from visqol_audio.quality import QualityModel

    model = QualityModel.read(FOLDER / "libsvm_nu_svr_model.txt")
    peer = visqol.VisqolApi()
    peer.create(mode="audio")
    pairs = list(clips())
    assert len(pairs) == 20
    for reference, estimate in pairs:
        theirs = peer.measure_from_arrays(reference, estimate, 48000).moslqo
        assert mean_opinion_score(reference, estimate, model) == pytest.approx(theirs, abs=1e-3)
