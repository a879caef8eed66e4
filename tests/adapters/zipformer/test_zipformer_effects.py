"""What a studio does to excerpts: each effect changes what it names, and the stems still add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from zipformer_keras.training import effects
from zipformer_keras.training.augmentation import Library, draw_excerpt
from zipformer_keras.training.recipe import read_recipe
from zipformer_keras.training.variation import PLAIN, Variation

RATE = 44_100
STEMS = ("vocals", "drums", "bass", "other")


def tone(frequency: float, seconds: float = 2.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    wave = 0.2 * np.sin(2 * np.pi * frequency * time)
    return np.stack([wave, 0.7 * wave]).astype(np.float32)


def beats() -> np.ndarray:
    """Clicks twice a second."""
    clicks = np.zeros((2, 2 * RATE), np.float32)
    for start in range(0, 2 * RATE, RATE // 2):
        clicks[:, start : start + 2000] = np.exp(-np.arange(2000) / 400)
    return clicks


SONG = {"vocals": tone(440.0), "drums": beats(), "bass": tone(100.0), "other": tone(1500.0)}
LIBRARY = Library((lambda: SONG,))


def draw(variation: Variation, seed: int = 0, length: int = RATE) -> np.ndarray:
    return draw_excerpt(LIBRARY, STEMS, length, variation, np.random.default_rng(seed)).samples


def loudness(sound: np.ndarray) -> float:
    return float(np.sqrt(np.square(sound, dtype=np.float64).mean()))


@pytest.mark.parametrize("effect", [effects.roomy, effects.thickened])
def test_rooms_and_doubling_add_sound_at_the_same_loudness(
    effect: Callable[..., np.ndarray],
) -> None:
    click = np.zeros((2, RATE), np.float32)
    click[:, 1000:1100] = 0.5
    heard = effect(click, np.random.default_rng(0))
    assert heard.shape == click.shape
    assert heard.dtype == np.float32
    assert np.abs(heard[:, :1000]).max() < 1e-6
    assert np.abs(heard[:, 1400:]).max() > 1e-3
    assert loudness(heard) == pytest.approx(loudness(click), rel=1e-3)
    assert not effect(np.zeros_like(click), np.random.default_rng(0)).any()


def test_width_changes_the_difference_of_the_channels_alone() -> None:
    wide = tone(440.0)
    changed = [effects.widened(wide, np.random.default_rng(seed)) for seed in range(20)]
    difference = np.abs(wide[0] - wide[1]).max()
    ratios = [np.abs(one[0] - one[1]).max() / difference for one in changed]
    assert 0.0 <= min(ratios) < 0.5
    assert 1.5 < max(ratios) <= 2.0
    for one in changed:
        np.testing.assert_allclose(one.mean(axis=0), wide.mean(axis=0), atol=1e-6)


def test_the_drums_turn_the_bass_down_while_they_sound() -> None:
    gain = effects.ducking(beats(), np.random.default_rng(0))
    assert gain.shape == (2 * RATE,)
    assert 0.0 < gain.min() < 0.8
    assert gain.max() <= 1.0
    on = np.mean([gain[start : start + 1000].mean() for start in range(0, 2 * RATE, RATE // 2)])
    off = np.mean(
        [gain[start - 1000 : start].mean() for start in range(RATE // 2, 2 * RATE, RATE // 2)]
    )
    assert on < off - 0.1


def test_mastering_lowers_the_peaks_and_keeps_the_loudness() -> None:
    mixture = tone(200.0) + 0.8 * beats()
    crest = []
    for seed in range(10):
        dense = mixture * effects.mastering(mixture, np.random.default_rng(seed))
        assert loudness(dense) == pytest.approx(loudness(mixture), rel=0.35)
        crest.append(float(np.abs(dense).max()) / loudness(dense))
    assert np.median(crest) < 0.9 * np.abs(mixture).max() / loudness(mixture)


def test_a_deep_bass_is_up_to_an_octave_lower() -> None:
    low = []
    for seed in range(8):
        bass = draw(replace(PLAIN, deep=1.0), seed)[2, 0]
        low.append(np.abs(np.fft.rfft(bass)).argmax() * RATE / bass.size)
    assert 49.0 <= min(low) < 70.0
    assert 80.0 < max(low) <= 101.0
    others = draw(replace(PLAIN, deep=1.0))
    assert np.abs(np.fft.rfft(others[0, 0])).argmax() == pytest.approx(440, abs=2)


def test_sparse_excerpts_lack_drums_or_bass_and_nothing_else() -> None:
    lacking = set()
    for seed in range(20):
        silent = tuple(~draw(replace(PLAIN, sparse=1.0), seed).any(axis=(1, 2)))
        assert not silent[0]
        assert not silent[3]
        lacking.add(silent[1:3])
    assert lacking == {(True, False), (False, True), (True, True)}


def test_mastered_stems_have_one_gain() -> None:
    plain, dense = draw(PLAIN, 3), draw(replace(PLAIN, master=1.0), 3)
    heard = np.abs(plain[0, 0]) > 0.02
    gain = dense[0, 0][heard] / plain[0, 0][heard]
    assert gain.std() > 0.01
    where = heard & (np.abs(plain[2, 0]) > 0.02)
    np.testing.assert_allclose(
        dense[2, 0][where] / plain[2, 0][where], dense[0, 0][where] / plain[0, 0][where], rtol=1e-4
    )


def test_recipes_without_the_effects_draw_what_they_drew_before() -> None:
    """A share of 0 draws no number, so that runs of older recipes are repeated exactly."""
    variation = read_recipe("tiny", {}).variation
    assert (variation.deep, variation.room, variation.master) == (0.0, 0.0, 0.0)
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    draw_excerpt(LIBRARY, STEMS, 4_000, variation, rng)
    draw_excerpt(LIBRARY, STEMS, 4_000, replace(variation, duck=0.0, sparse=0.0), other)
    assert rng.random() == other.random()
