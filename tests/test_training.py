"""Validation while a network is trained: plain numbers, the same as a run's."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import benchbench
from benchbench import metrics
from benchbench.errors import AudioError, NothingToCompareError, UnknownNameError, UsageError
from tests.conftest import RATE, STEMS, tones


def of_mixture(mixture, _):
    return dict.fromkeys(STEMS, mixture)


def test_the_numbers_are_those_of_a_run(small_songs, tmp_path):
    found = benchbench.Validator("folder", "usdr,si", root=small_songs, seconds=None)(of_mixture)
    result = benchbench.run(
        "mixture:4stems", "folder", root=small_songs, out=tmp_path / "out", metrics="usdr,si",
        report=False,
    )  # fmt: skip
    board = result.leaderboard().reset_index()
    own = board[board["reference_set"] == "vocals+drums+bass+other"].set_index("target")
    for target in STEMS:
        assert found[f"usdr/SDR/{target}"] == pytest.approx(own["usdr/SDR"][target], abs=1e-5)
        assert found[f"si/SI-SDR/{target}"] == pytest.approx(own["si/SI-SDR"][target], abs=1e-5)
    mean = np.mean([found[f"usdr/SDR/{target}"] for target in STEMS])
    assert found["usdr/SDR/mean"] == pytest.approx(mean)


def test_an_excerpt_is_the_middle_of_its_track(small_songs):
    validator = benchbench.Validator(
        "folder", "usdr", root=small_songs, tracks="first", seconds=1.0
    )
    seen = []

    def silent_but_vocals(mixture, rate):
        seen.append((mixture.shape, rate))
        return {"vocals": 0.5 * mixture}

    value = validator(silent_but_vocals)["usdr/SDR/vocals"]
    assert seen == [((2, RATE), RATE)]
    stems = {
        name: stem[:, RATE // 2 : RATE // 2 + RATE] for name, stem in tones(2.0, seed=1).items()
    }
    mixture = sum(stems.values())
    assert value == pytest.approx(metrics.usdr(stems["vocals"], 0.5 * mixture, RATE), abs=1e-3)


def test_two_stems_are_scored_against_vocals_and_the_rest(small_songs):
    validator = benchbench.Validator("folder", "usdr", root=small_songs)
    values = validator(lambda mixture, _: {"vocals": mixture, "accompaniment": mixture})
    assert set(values) == {
        "usdr/SDR/vocals", "usdr/SDR/accompaniment", "usdr/SDR/mean", "usdr/SA-SDR/all",
        "usdr/SA-SDR/mean",
    }  # fmt: skip
    frame = validator.to_frame()
    assert len(frame) == 6  # two targets and SA-SDR on two tracks
    assert set(frame["track"]) == {"first", "second"}


def test_what_cannot_be_scored_is_one_clear_error(small_songs):
    with pytest.raises(UsageError, match="longer than 0 s"):
        benchbench.Validator("folder", root=small_songs, seconds=0)
    with pytest.raises(UnknownNameError, match="usdr"):
        benchbench.Validator("folder", "usd", root=small_songs)
    validator = benchbench.Validator("folder", "usdr", root=small_songs)
    with pytest.raises(AudioError, match="returned memmap"):
        validator(lambda mixture, _: mixture)
    with pytest.raises(AudioError, match="nan"):
        validator(lambda mixture, _: {"vocals": mixture * np.nan})
    with pytest.raises(AudioError, match="returned no stem"):
        validator(lambda _, __: {})
    with pytest.raises(NothingToCompareError):
        benchbench.Validator("folder", "si", root=small_songs)(
            lambda mixture, _: {"vocals": 0 * mixture}
        )


def test_excerpts_are_removed_with_the_validator(small_songs):
    validator = benchbench.Validator("folder", "usdr", root=small_songs)
    folder = validator.folder
    assert folder.is_dir()
    del validator
    gc.collect()
    assert not folder.exists()


def test_keras_sees_the_numbers_in_its_logs(small_songs):
    keras = pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.compile("sgd", "mse")
    validator = benchbench.Validator("folder", "usdr", root=small_songs, limit=1)

    def separate(model, mixture, _):
        return {"vocals": float(model.weights[0].numpy().item()) * mixture}

    callback = benchbench.training.keras_callback(validator, separate, every=2)
    data = np.ones((4, 1), np.float32)
    history = network.fit(data, 0.1 * data, epochs=3, verbose=0, callbacks=[callback]).history
    values = history["val_usdr/SDR/vocals"]
    assert len(values) == 3
    assert values[0] == values[1] != values[2]
    scale = float(network.weights[0].numpy().item())
    assert values[2] == validator(lambda mixture, _: {"vocals": scale * mixture})["usdr/SDR/vocals"]
