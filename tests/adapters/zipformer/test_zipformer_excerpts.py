"""Excerpts that training draws, and what each variation does to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from zipformer_keras.configuration import Configuration, cell_count
from zipformer_keras.training.augmentation import Library, draw_excerpt
from zipformer_keras.training.batches import cell_example, draw_batch
from zipformer_keras.training.loss import (
    snr_loss,
)
from zipformer_keras.training.tones import filtered, tones
from zipformer_keras.training.variation import PLAIN, Variation

from .songs import LIBRARY, RATE, SONGS, STEMS, backed, flat

Networks = dict[str, Configuration]


def test_draws_depend_on_the_seed_alone(networks: Networks) -> None:
    c = networks["offline"]
    variation = Variation(speed_share=0.5, double=0.5, drive=0.5)
    first, same, other = (
        draw_batch(LIBRARY, c, 2, 20, variation, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for a, b in zip(first, same, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()
    assert not any(np.array_equal(a, d) for a, d in zip(first[:3], other[:3], strict=True))


def test_plain_excerpts_are_cut_from_one_song() -> None:
    found = draw_excerpt(
        Library((SONGS[0],)), STEMS, 1_000, PLAIN, np.random.default_rng(0)
    ).samples
    whole = np.stack([SONGS[0]()[stem] for stem in STEMS])
    length = whole.shape[-1]
    starts = [
        a for a in range(length - 999) if np.array_equal(whole[0, 0, a : a + 1_000], found[0, 0])
    ]
    assert any(np.array_equal(whole[..., at : at + 1_000], found) for at in starts)


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({"gain_db": 6.0}, lambda a, b: 0.4 < np.abs(a).max() / np.abs(b).max() < 2.1),
        ({"invert": 1.0}, lambda a, b: np.array_equal(a, -b)),
        ({"swap": 1.0}, lambda a, b: np.array_equal(a, b[:, ::-1])),
        ({"silence": 1.0}, lambda a, _: not a.any()),
    ],
)
def test_each_variation_does_what_it_says(
    changes: dict[str, float], holds: Callable[..., bool]
) -> None:
    short = Library((lambda: {stem: samples[:, :500] for stem, samples in SONGS[0]().items()},))
    whole = np.stack([short.whole[0]()[stem] for stem in STEMS])
    drawn = draw_excerpt(short, STEMS, 500, replace(PLAIN, **changes), np.random.default_rng(0))
    found = drawn.samples
    assert drawn.known.all()
    assert not np.array_equal(found, whole)
    assert holds(found, whole)


def test_a_song_of_two_stems_teaches_the_vocals_alone(networks: Networks) -> None:
    library = Library.of([*SONGS, backed], STEMS)
    assert (len(library.whole), len(library.backed)) == (4, 1)
    only = replace(PLAIN, backing=1.0)
    found = draw_excerpt(library, STEMS, 3_000, only, np.random.default_rng(0))
    assert found.known.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert not found.samples[1:3].any()
    whole = np.stack([backed()["vocals"], backed()["accompaniment"]])
    pair = found.samples[[0, 3]]
    places = range(whole.shape[-1] - 2_999)
    assert any(np.array_equal(whole[..., at : at + 3_000], pair) for at in places)
    c = networks["offline"]
    example = [part[None] for part in cell_example(found, flat(c), c)]
    rng = np.random.default_rng(1)
    masks = rng.uniform(0, 0.2, (1, example[0].shape[1], 4, 2, cell_count(c.groups))).astype(
        np.float32
    )
    other = masks.copy()
    other[:, :, 1:] = rng.uniform(0, 1, other[:, :, 1:].shape)
    assert float(snr_loss(masks, *example)) == float(snr_loss(other, *example))
    other[:, :, 0] += 0.5
    assert float(snr_loss(masks, *example)) != float(snr_loss(other, *example))


def test_songs_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="lacks vocals, bass, other; it has drums"):
        Library.of([lambda: {"drums": np.zeros((2, 9), np.float32)}], STEMS)
    with pytest.raises(ValueError, match="No song has all of"):
        Library.of([backed], STEMS)


def test_thin_vocals_lose_some_of_what_is_low() -> None:
    only, rng = replace(PLAIN, thin=1.0), np.random.default_rng(0)
    gain = np.stack([tones(("vocals", "other"), 1025, 2048, only, rng) for _ in range(50)])
    vocals, frequency = gain[:, 0], np.arange(1025) * RATE / 2048
    assert (gain[:, 1] == 1.0).all()
    low = vocals[:, (frequency > 20) & (frequency < 60)]
    assert (low < 0.85).all()
    assert (low > 0.03).all()
    assert (vocals[:, frequency > 8000] > 0.98).all()
    assert (np.diff(vocals, axis=1) >= 0).all()
    assert (tones(STEMS, 1025, 2048, PLAIN, rng) == 1.0).all()


def test_filters_in_time_are_those_of_the_spectrum() -> None:
    gain = np.ones((1, 257), np.float32)
    gain[0, 100:] = 0.0
    noise = np.random.default_rng(0).standard_normal((1, 2, 8_000)).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(filtered(noise, gain)))
    assert spectrum[..., 1600:].max() < 0.05 * spectrum[..., :1500].mean()
