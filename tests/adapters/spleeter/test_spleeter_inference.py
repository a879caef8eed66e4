"""The separator: what comes out is independent of how the song is cut, and fits its mixture."""

from __future__ import annotations

import numpy as np
import pytest
from spleeter_keras.architecture import VARIANTS
from spleeter_keras.inference import Separator


@pytest.fixture(scope="module")
def separator(tiny, tiny_weights):
    return Separator(tiny, tiny_weights.items())


def test_the_stems_add_up_to_the_mixture_below_the_last_bin(separator, noise):
    stems = separator.separate(noise, 44_100)
    assert list(stems) == ["vocals", "accompaniment"]
    total = sum(stems.values())
    spectrum = np.fft.rfft(noise - total)
    edge = int(10_900 / 44_100 * noise.shape[1])
    assert np.abs(spectrum[:, :edge]).max() < 1e-4 * np.abs(np.fft.rfft(noise)).max()


@pytest.mark.parametrize("length", [0, 1, 13_001, 520_192, 520_193, 1_300_001])
@pytest.mark.parametrize("channels", [1, 2])
def test_shape_and_type_are_the_mixtures(separator, noise, length, channels):
    for stem in separator.separate(noise[:channels, :length], 44_100).values():
        assert stem.shape == (channels, length)
        assert stem.dtype == np.float32
        assert np.isfinite(stem).all()


def test_a_later_start_by_one_segment_changes_nothing(separator, noise):
    # 4096 samples of silence lead in, so a song that starts a segment later lies alike.
    shifted = np.concatenate([np.zeros((2, 524_288), np.float32), noise[:, :600_000]], axis=1)
    there = separator.separate(shifted, 44_100)["vocals"][:, 524_288:]
    here = separator.separate(noise[:, :600_000], 44_100)["vocals"]
    np.testing.assert_allclose(there, here, atol=1e-6)


def test_it_does_the_same_twice(separator, noise):
    first = separator.separate(noise, 44_100)["vocals"]
    np.testing.assert_array_equal(first, separator.separate(noise, 44_100)["vocals"])


def test_silence_stays_silent(separator):
    for stem in separator.separate(np.zeros((2, 600_000), np.float32), 44_100).values():
        assert not stem.any()


def test_mono_is_the_mean_of_doubled_mono(separator, noise):
    mono = noise[:1, :100_000]
    doubled = separator.separate(np.concatenate([mono, mono]), 44_100)["vocals"]
    np.testing.assert_allclose(
        separator.separate(mono, 44_100)["vocals"][0], doubled.mean(axis=0), atol=1e-7
    )


def test_channels_go_in_pairs_and_none_is_dropped(separator, noise):
    pairs = [noise[:, :100_000], noise[:, 200_000:300_000], noise[:1, 400_000:500_000]]
    together = separator.separate(np.concatenate(pairs), 44_100)["vocals"]
    apart = [separator.separate(pair, 44_100)["vocals"] for pair in pairs]
    np.testing.assert_allclose(together, np.concatenate(apart), atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
def test_any_rate_comes_back_at_its_length(separator, rate):
    time = np.arange(int(2.5 * rate) + 1) / rate
    tone = np.sin(2 * np.pi * 440 * time) * np.hanning(len(time))
    mixture = np.stack([tone, 0.5 * tone]).astype(np.float32)
    stems = separator.separate(mixture, rate)
    total = sum(stems.values())
    assert total.shape == mixture.shape
    np.testing.assert_allclose(total, mixture, atol=2e-4)


@pytest.mark.parametrize("length", [0, 1, 2, 999])
def test_the_shortest_songs_of_another_rate_keep_their_length(separator, noise, length):
    for rate in (8_000, 96_000):
        stems = separator.separate(noise[:1, :length], rate)
        assert stems["vocals"].shape == (1, length)
        assert np.isfinite(stems["vocals"]).all()


def test_what_changed_in_a_private_map_is_not_lost(separator, noise, tmp_path):
    path = tmp_path / "mixture.f32"
    np.zeros((2, 600_000), np.float32).tofile(path)
    mapped = np.memmap(path, np.float32, "c", shape=(2, 600_000))
    mapped[:] = noise[:, :600_000]
    stems = separator.separate(mapped, 44_100)
    assert stems["vocals"].any()
    np.testing.assert_array_equal(mapped, noise[:, :600_000])


def test_a_memory_map_is_read_like_an_array(separator, noise, tmp_path):
    path = tmp_path / "mixture.f32"
    noise.tofile(path)
    mapped = np.memmap(path, np.float32, "r", shape=noise.shape)
    np.testing.assert_array_equal(
        separator.separate(mapped, 44_100)["vocals"], separator.separate(noise, 44_100)["vocals"]
    )


def test_the_average_extension_fills_the_highest_bins(tiny, tiny_weights, noise):
    mixture = noise[:, :100_000]
    stems = Separator(tiny, tiny_weights.items(), mask_extension="average").separate(
        mixture, 44_100
    )
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-5)


def test_wrong_requests_are_refused(tiny, tiny_weights, separator, tmp_path):
    with pytest.raises(ValueError, match="mask_extension must be one of zeros, average"):
        Separator(tiny, tiny_weights.items(), mask_extension="mirror")
    with pytest.raises(ValueError, match="device must be one of"):
        Separator(tiny, tiny_weights.items(), device="tpu")
    with pytest.raises(ValueError, match=r"no variant '3stems'; there are 2stems"):
        Separator.from_folder("3stems", tmp_path)
    with pytest.raises(ValueError, match=r"\(channels, samples\)"):
        separator.separate(np.zeros(10, np.float32), 44_100)
    with pytest.raises(ValueError, match="positive"):
        separator.separate(np.zeros((2, 10), np.float32), 0)


def test_variants_are_the_published_ones_and_a_small_one():
    published = [f"{n}stems{s}" for n in (2, 4, 5) for s in ("", "-16kHz")]
    assert list(VARIANTS) == [*published, "synth"]
