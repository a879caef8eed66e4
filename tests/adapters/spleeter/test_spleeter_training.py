"""Training: the loss falls, a stem improves, a run resumes, and its weights load."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from spleeter_keras.architecture import Configuration
from spleeter_keras.checkpoint import CheckpointError, read_checkpoint
from spleeter_keras.excerpts import NO_AUGMENTATION, Augmentation, draw_batch, fixed_batch
from spleeter_keras.inference import Separator
from spleeter_keras.training import STATE, TrainingConfig, train, variant_config

RATE = 44_100
NETWORK = Configuration(
    ("vocals", "accompaniment"), ("leaky_relu", "relu"), "sigmoid", 256, (4, 6, 8)
)
CONFIG = TrainingConfig(
    NETWORK,
    steps=24,
    batch_size=1,
    learning_rate=1e-2,
    validate_every=8,
    validation_excerpts=1,
)


def song(seed: int, seconds: float = 13.0) -> dict[str, np.ndarray]:
    """A gliding high voice over low drones: easy to tell apart by frequency."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    glide = 1800 + 300 * np.sin(2 * np.pi * rng.uniform(0.2, 0.5) * time)
    voice = np.sin(2 * np.pi * np.cumsum(glide) / RATE)
    drone = sum(np.sin(2 * np.pi * f * time) for f in rng.uniform(80, 500, 4)) / 2
    pan = rng.uniform(0.4, 0.6)
    return {
        "vocals": np.stack([voice * pan, voice * (1 - pan)]).astype(np.float32),
        "accompaniment": np.stack([drone, drone]).astype(np.float32) / 2,
    }


def example(seed: int):
    stems = song(seed)
    return lambda: stems


def sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(reference**2) / np.sum((reference - estimate) ** 2)))


def test_the_loss_falls_and_a_stem_improves(tmp_path):
    reported = []
    result = train(
        CONFIG, [example(1), example(2)], tmp_path, validation=[example(3)], report=reported.append
    )
    assert result.history == tuple(reported)
    assert [line.step for line in result.history] == [8, 16, 24]
    losses = [line.validation_loss for line in result.history]
    assert losses[-1] < 0.8 * losses[0]
    assert json.loads((tmp_path / "history.json").read_text())[2]["validation_loss"] == losses[2]

    unseen = song(4)
    mixture = unseen["vocals"] + unseen["accompaniment"]
    trained = Separator(NETWORK, read_checkpoint(result.weights, NETWORK).items())
    estimate = trained.separate(mixture, RATE)["vocals"]
    before = sdr(unseen["vocals"], mixture)
    assert sdr(unseen["vocals"], estimate) > before + 3.0


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path):
    songs = [example(1), example(2)]
    config = replace(CONFIG, steps=4, validate_every=2)
    whole = train(config, songs, tmp_path / "whole")
    train(replace(config, steps=2), songs, tmp_path / "parts")
    parts = train(config, songs, tmp_path / "parts")
    assert [line.step for line in parts.history] == [2, 4]
    for here, there in zip(whole.history, parts.history, strict=True):
        assert here.validation_loss == pytest.approx(there.validation_loss, rel=1e-3)
    finished = train(config, songs, tmp_path / "parts")
    assert finished.history == parts.history


def test_patience_ends_a_run(tmp_path):
    # Silence cannot be separated better than it is at once.
    silence = np.zeros((2, 1000), np.float32)
    held_out = [lambda: {"vocals": silence, "accompaniment": silence}]
    config = replace(CONFIG, validate_every=1, patience=2, steps=9)
    result = train(config, [example(1)], tmp_path, validation=held_out)
    assert result.stopped_early
    assert [line.step for line in result.history] == [1, 2, 3]


def test_fine_tuning_starts_from_a_checkpoint(tmp_path):
    config = replace(CONFIG, augmentation=NO_AUGMENTATION, validate_every=6)
    first = train(replace(config, steps=6), [example(1)], tmp_path / "first")
    tuned = train(
        replace(config, steps=1, learning_rate=1e-6),
        [example(1)],
        tmp_path / "second",
        initial=first.weights,
    )
    assert tuned.history[0].loss < 0.95 * first.history[0].loss
    with pytest.raises(CheckpointError):
        train(replace(config, steps=1), [example(1)], tmp_path / "third", initial=tmp_path)


def test_a_folder_of_another_network_is_refused(tmp_path):
    train(replace(CONFIG, steps=1), [example(1)], tmp_path)
    other = replace(CONFIG, network=replace(NETWORK, bins=128))
    with pytest.raises(ValueError, match="run of another network"):
        train(other, [example(1)], tmp_path)
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:2000])
    with pytest.raises(ValueError, match=rf"{STATE} is damaged"):
        train(CONFIG, [example(1)], tmp_path)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    broken = {name: stem * np.float32(np.nan) for name, stem in song(1).items()}
    with pytest.raises(ValueError, match="smaller learning_rate"):
        train(CONFIG, [lambda: broken], tmp_path)


def test_requests_are_checked(tmp_path):
    with pytest.raises(ValueError, match="at least one song"):
        train(CONFIG, [], tmp_path)
    with pytest.raises(ValueError, match="lacks the stem 'accompaniment'; it has vocals"):
        train(CONFIG, [lambda: {"vocals": song(1)["vocals"]}], tmp_path)
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        replace(CONFIG, batch_size=0)
    with pytest.raises(ValueError, match="no variant '6stems'"):
        variant_config("6stems")
    assert variant_config("4stems", steps=7).steps == 7


def test_the_mixture_is_the_sum_of_the_varied_stems():
    stems = song(1)
    alone = [lambda: {**stems, "accompaniment": np.zeros_like(stems["vocals"])}]
    batch = draw_batch(alone, NETWORK, 2, Augmentation(), np.random.default_rng(0))
    assert batch.mixture.shape == (2, 512, 256, 2)
    assert batch.stems.shape == (2, 2, 512, 256, 2)
    np.testing.assert_allclose(batch.stems[0], batch.mixture, atol=1e-4)


def test_the_same_seed_draws_the_same_and_another_does_not():
    songs = [example(1), example(2)]
    first, again, other = (
        draw_batch(songs, NETWORK, 1, Augmentation(), np.random.default_rng(seed)).mixture
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_short_mono_song_is_padded_and_doubled():
    short = {name: stem[:1, :1000] for name, stem in song(1, 1.0).items()}
    for batch in (
        draw_batch([lambda: short], NETWORK, 1, NO_AUGMENTATION, np.random.default_rng(0)),
        *fixed_batch(lambda: short, NETWORK, 3),
    ):
        np.testing.assert_array_equal(batch.mixture[..., 0], batch.mixture[..., 1])
        assert np.isfinite(batch.mixture).all()
