"""Mixing the weights of two runs: the ends, the middle, scores of both kinds of songs, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from zipformer_keras.weights import WEIGHTS_FILE, read_weights, without_heads

from benchmarks.zipformer import average

SHIPPED = Path(__file__).resolve().parents[3] / "adapters" / "zipformer" / "weights"
RATE = 44_100


def test_a_share_lies_between_the_two_weights() -> None:
    first = {"a": np.array([1.0, 2.0], np.float32), "b": np.zeros((2, 1), np.float32)}
    second = {"a": np.array([3.0, -2.0], np.float32), "b": np.ones((2, 1), np.float32)}
    for share, expected in ((0.0, [1.0, 2.0]), (0.25, [1.5, 1.0]), (1.0, [3.0, -2.0])):
        weights = average.mixed(first, second, share)
        np.testing.assert_array_equal(weights["a"], np.array(expected, np.float32))
        assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}


def test_weights_of_different_networks_are_refused() -> None:
    tiny, live = (read_weights(SHIPPED / name / WEIGHTS_FILE)[0] for name in ("tiny", "tiny-live"))
    with pytest.raises(ValueError, match="of different networks"):
        average.mixed(tiny, live, 0.5)


def test_both_kinds_of_songs_weigh_the_same() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(2 * RATE) / RATE
    tones = [np.sin(2 * np.pi * pitch * time) for pitch in (440.0, 3000.0, 60.0, 900.0)]
    stems = (0.1 * np.stack(tones)[:, None] + 0.01 * rng.standard_normal((4, 2, 2 * RATE))).astype(
        np.float32
    )
    whole = dict(zip(("vocals", "drums", "bass", "other"), stems, strict=True))
    backed = {"vocals": stems[0], "accompaniment": stems[1:].sum(axis=0)}
    weights = without_heads(read_weights(SHIPPED / "tiny" / WEIGHTS_FILE)[0])
    scores = average.scored("tiny", weights, [lambda: whole, lambda: backed])
    over_music = (scores["backed_vocals"] + scores["backed_accompaniment"]) / 2
    assert scores["both"] == pytest.approx((scores["mean"] + over_music) / 2)
    assert average.scored("tiny", weights, [lambda: whole])["both"] == scores["mean"]
