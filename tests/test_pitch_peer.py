"""The pitches of the metric `pitch` against the package swift-f0 itself: ``tox -e swift-f0``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soxr

from benchbench.datasets.dataset import open_dataset
from benchbench.io.audio.audio_files import read
from benchbench.plugins.catalog import Catalog

FILE = Path(__file__).parents[1] / "metrics" / "pitch" / "metric.py"

pytestmark = [pytest.mark.peer, pytest.mark.timeout(600)]


def melody() -> np.ndarray:
    """Half a minute of the vocals of the demo's songs, mono at 16 kHz, with a rest."""
    parts = [
        read(track.stems["vocals"].path)[0].mean(axis=0)
        for track in open_dataset(Catalog().dataset("demo")).tracks[:3]
    ]
    audio = np.concatenate([*parts, np.zeros(44100, np.float32)])
    return soxr.resample(audio, 44100, 16000).astype(np.float32)


def test_pitches_are_swift_f0s():
    swift_f0 = pytest.importorskip("swift_f0")
    spec = importlib.util.spec_from_file_location("pitch_metric", FILE)
    metric = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(metric)
    metric.load(Path(swift_f0.__file__).parent, {})
    audio = melody()
    assert len(audio) > 2 * 1024 * metric.HOP  # several windows of the network
    pitch, voiced = metric.pitches(audio)
    theirs = swift_f0.SwiftF0(threads=1).detect(audio, 16000)
    their_voiced = theirs.confidence >= 0.5
    assert 0.2 < their_voiced.mean() < 0.95
    assert np.array_equal(voiced, their_voiced)
    cents = 1200 * np.abs(np.log2(pitch[voiced] / theirs.pitch_hz[voiced]))
    assert cents.max() < 0.01
