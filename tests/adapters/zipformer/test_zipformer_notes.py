"""Heads from training to a file of notes: `bench train`, then `bench separate --option notes=FILE`."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from zipformer_keras.training.heads import heads_error
from zipformer_keras.weights import (
    CONFIGURATION,
    WEIGHTS_FILE,
    read_weights,
    without_heads,
    write_weights,
)

from benchbench.api.train import train

FOLDER = Path(__file__).resolve().parents[3] / "adapters" / "zipformer"
RATE = 44_100


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights with heads, after two steps of the recipe ``heads`` from the shipped ones."""
    root = tmp_path_factory.mktemp("songs")
    clock = np.arange(3 * RATE) / RATE
    for index, song in enumerate(("first", "second")):
        (root / song).mkdir()
        for place, stem in enumerate(("vocals", "drums", "bass", "other")):
            hertz = 110.0 * 2 ** (place + index / 12)
            sound = sum(np.sin(2 * np.pi * k * hertz * clock) / k for k in range(1, 8))
            soundfile.write(root / song / f"{stem}.wav", 0.05 * np.asarray(sound), RATE)
    options = {"recipe": "heads", "steps": 2, "batch_size": 1, "frames": 16, "warmup": 1,
               "learning_rate": 1e-3, "average": 0.1, "logs": False}  # fmt: skip
    return train("zipformer:tiny", "folder", root=root, out=root.parent / "run",
                 weights=FOLDER / "weights" / "tiny", options=options)  # fmt: skip


def test_training_stores_heads_that_learned(trained: Path) -> None:
    arrays, notes = read_weights(trained / "zipformer.safetensors")
    assert json.loads(notes[CONFIGURATION])["harmonics"] is True
    for name in ("pitch_kernel", "activity_kernel", "inside", "between", "gate"):
        assert np.abs(arrays[f"harmonics/{name}"]).max() > 0, name


def test_a_separation_writes_notes(trained: Path, tmp_path: Path) -> None:
    """By the command line, with paths relative to the working directory."""
    clock = np.arange(2 * RATE) / RATE
    sound = sum(np.sin(2 * np.pi * k * 220.0 * clock) / k for k in range(1, 10))
    soundfile.write(tmp_path / "song.wav", 0.05 * np.tile(sound, (2, 1)).T, RATE)
    command = [sys.executable, "-m", "benchbench", "separate", "--model", "zipformer:tiny",
               "--weights", str(trained), "--option", "notes=notes.csv", "--out", "stems",
               "song.wav"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "notes.csv").read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["time_s", "f0_hz", "voicing", "vocals", "drums", "bass", "other"]
    times = np.array([float(row["time_s"]) for row in rows])
    np.testing.assert_allclose(np.diff(times), 1024 / RATE, atol=1e-4)
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(2.0, abs=3 * 1024 / RATE)
    values = np.array([[float(row[name]) for name in list(row)[2:]] for row in rows])
    assert ((values >= 0) & (values <= 1)).all()
    # Trained for two steps only; the detectors in its own vocals need no training.
    sung = [float(row["f0_hz"]) for row in rows if row["f0_hz"]]
    assert all(65.0 <= hertz <= 1040.0 for hertz in sung)


def test_weights_without_heads_say_so(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", np.zeros((RATE, 2)) + 0.01, RATE)
    weights, _ = read_weights(FOLDER / "weights" / "tiny" / WEIGHTS_FILE)
    write_weights(tmp_path / "plain" / WEIGHTS_FILE, without_heads(weights), {})
    command = [sys.executable, "-m", "benchbench", "separate", "--model", "zipformer:tiny",
               "--weights", "plain", "--option", "notes=notes.csv", "--out", "stems", "song.wav"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "The weights of tiny have no heads for notes" in done.stderr


def test_the_error_of_heads_is_least_at_the_labels() -> None:
    """Pitch 165 and no pitch; the first of two stems sounds; an unknown stem does not count."""
    pitches, sounding = np.array([[165, 240]]), np.array([[[1.0, 0.0], [1.0, 0.0]]], np.float32)
    answer = np.full((1, 2, 241), -20.0, np.float32)
    answer[0, 0, 165] = answer[0, 1, 240] = 0.0
    heard = np.where(sounding > 0, 9.0, -9.0).astype(np.float32)
    right = float(heads_error(answer, heard, pitches, sounding))
    far = np.roll(answer, 20, axis=-1)
    assert float(heads_error(far, heard, pitches, sounding)) > right + 5.0
    wrong = heard * np.array([1.0, -1.0], np.float32)
    assert float(heads_error(answer, wrong, pitches, sounding)) > right + 4.0
    known = np.array([[1.0, 0.0]], np.float32)
    unknown = float(heads_error(answer, wrong, pitches, sounding, known))
    assert unknown == pytest.approx(float(heads_error(answer, heard, pitches, sounding, known)))
