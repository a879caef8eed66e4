"""How sharp masks are: the measure against masked spectra, and weights that give softer masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from zipformer_keras.configuration import bin_count
from zipformer_keras.runtime import make_runtime
from zipformer_keras.spectrum import analyse, expanded
from zipformer_keras.weights import WEIGHTS_FILE, read_weights, without_heads

from benchmarks.zipformer import temperature

WEIGHTS = Path(__file__).resolve().parents[3] / "adapters" / "zipformer" / "weights" / "tiny"
FRAMES = 24
TINY = temperature.TINY


@pytest.fixture(scope="module")
def stems() -> np.ndarray:
    rng = np.random.default_rng(0)
    length = (FRAMES - 1) * TINY.step + TINY.frame
    time = np.arange(length) / 44_100
    tones = [np.sin(2 * np.pi * pitch * time) for pitch in (440.0, 3000.0, 80.0, 900.0)]
    noise = 0.02 * rng.standard_normal((4, 2, length))
    return (0.1 * np.stack(tones)[:, None] + noise).astype(np.float32)


def masks(weights: dict[str, np.ndarray], stems: np.ndarray) -> np.ndarray:
    runtime = make_runtime(TINY, weights, FRAMES, "onnx", "cpu")
    return np.exp(temperature.heard(stems, runtime).logits)


def test_sharpened_weights_raise_the_masks_to_a_power(stems: np.ndarray) -> None:
    weights = without_heads(read_weights(WEIGHTS / WEIGHTS_FILE)[0])
    plain, soft = masks(weights, stems), masks(temperature.sharpened(weights, 0.5), stems)
    power = plain**0.5
    power /= power.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(soft, power, atol=2e-3)
    assert np.abs(soft - plain).max() > 0.05


def test_the_improvement_is_that_of_the_masked_spectra(stems: np.ndarray) -> None:
    weights = without_heads(read_weights(WEIGHTS / WEIGHTS_FILE)[0])
    song = temperature.heard(stems, make_runtime(TINY, weights, FRAMES, "onnx", "cpu"))
    bins = bin_count(TINY.groups)
    spectra = analyse(stems * temperature.LEVEL, TINY.frame, TINY.step, bins)
    mixture = spectra.sum(axis=0)
    gains = []
    for stem, spectrum in enumerate(spectra):
        mask = expanded(np.exp(song.logits[:, stem]), TINY.groups, bins).transpose(1, 0, 2)
        before = np.square(np.abs(mixture - spectrum)).sum()
        after = np.square(np.abs(mask * mixture - spectrum)).sum()
        gains.append(10 * np.log10(before / after))
    assert temperature.improvement(song, 1.0) == pytest.approx(np.mean(gains), abs=0.02)


def test_the_shipped_weights_say_how_sharp_they_are() -> None:
    _, notes = read_weights(WEIGHTS / WEIGHTS_FILE)
    assert notes["sharpness"] == "0.85"
