"""Songs in, stems out: lengths, rates, channels, seams, and the way through the spectrum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zipformer_keras import Separator
from zipformer_keras.configuration import Cells, Configuration
from zipformer_keras.spectrum import Analysis, Synthesis, analyse, expanded, pooled, product
from zipformer_keras.weights import WEIGHTS_FILE, noted, read_weights

RATE = 44_100
SHIPPED = Path(__file__).resolve().parents[3] / "adapters" / "zipformer" / "weights" / "tiny"
Networks = dict[str, Configuration]
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def separator(networks: Networks, make_network: Make) -> Separator:
    _, weights = make_network(networks["offline"])
    return Separator(networks["offline"], weights)


def noise(channels: int, length: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((channels, length)) / 10).astype(np.float32)


@pytest.mark.parametrize(
    ("channels", "length", "rate"),
    [(2, 90_001, RATE), (1, 3_000, RATE), (2, 1, RATE), (3, 5_000, RATE), (2, 20_011, 48_000),
     (1, 9_000, 16_000), (2, 512 * 128, RATE), (2, 512 * 128 - 384, RATE)],
)  # fmt: skip
def test_stems_have_the_mixtures_shape(
    separator: Separator, channels: int, length: int, rate: int
) -> None:
    song = noise(channels, length)
    stems = separator.separate(song, rate)
    assert {stem.shape for stem in stems.values()} == {song.shape}
    assert {stem.dtype for stem in stems.values()} == {np.dtype(np.float32)}


def test_stems_add_up_to_the_mixture(separator: Separator) -> None:
    song = noise(2, 150_000)
    stems = separator.separate(song, RATE)
    np.testing.assert_allclose(sum(stems.values()), song, atol=1e-5)
    assert min(stem.std() for stem in stems.values()) > 1e-3


def test_mono_is_the_mean_of_doubled_mono(separator: Separator) -> None:
    song = noise(1, 10_000)
    stereo = separator.separate(song[[0, 0]], RATE)
    for stem, samples in separator.separate(song, RATE).items():
        np.testing.assert_allclose(samples, stereo[stem].mean(axis=0, keepdims=True), atol=1e-6)


def test_silence_stays_silent(separator: Separator) -> None:
    for samples in separator.separate(np.zeros((2, 5_000), np.float32), RATE).values():
        assert np.abs(samples).max() == 0.0


def test_chunks_join_without_a_seam() -> None:
    """With the shipped weights and music-like sound, twice the overlap changes next to nothing."""
    weights, notes = read_weights(SHIPPED / WEIGHTS_FILE)
    configuration = noted(notes, "tiny")
    usual = Separator(configuration, weights)
    half = Separator(configuration, weights, overlap=usual.frames // 2)
    time = np.arange(15 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * f * time) / n for n, f in enumerate((110, 220, 331, 442), 1))
    beat = np.exp(-12 * (time % 0.5)) * noise(2, len(time))
    song = (0.1 * chord * (0.6 + 0.4 * np.sin(time)) + 3 * beat).astype(np.float32)
    expected = half.separate(song, RATE)
    for stem, samples in usual.separate(song, RATE).items():
        assert np.std(samples - expected[stem]) < 0.03 * np.std(song)


def test_blocks_are_bounded(separator: Separator) -> None:
    sizes = [block["vocals"].shape[1] for block in separator.blocks(noise(2, 400_000), RATE)]
    assert max(sizes) <= 512 * 128
    assert sum(sizes) == 400_000


def test_offline_variants_do_not_stream(separator: Separator) -> None:
    with pytest.raises(ValueError, match="cannot run live"):
        next(separator.stream([noise(2, 100)], RATE))


def test_wrong_mixtures_are_refused(separator: Separator) -> None:
    with pytest.raises(ValueError, match="channels, samples"):
        separator.separate(np.zeros(5, np.float32), RATE)
    with pytest.raises(ValueError, match="must be positive"):
        separator.separate(noise(2, 5), 0)


@pytest.mark.parametrize(("frame", "step"), [(512, 128), (4096, 1024), (2048, 512)])
def test_the_spectrum_leads_back_to_the_samples(frame: int, step: int) -> None:
    song = noise(2, 40_003)
    synthesis, found = Synthesis(frame, step), []
    cut = (song[:, at : at + 999] for at in range(0, 40_003, 999))
    for segment in Analysis(frame, step, 16, 3).segments(cut):
        stop = 16 if segment.last else 13
        found.append(synthesis.add(segment.spectrum[:, :stop], segment.samples))
    np.testing.assert_allclose(np.concatenate(found, axis=1), song, atol=1e-6)


def test_a_full_scale_sine_has_magnitude_one() -> None:
    time = np.arange(4096) / RATE
    sine = np.cos(2 * np.pi * 100 * RATE / 4096 * time).astype(np.float32)
    assert np.abs(analyse(sine, 4096, 1024, 2048)[0, 100]) == pytest.approx(1.0, abs=1e-3)


def test_cells_pool_and_expand() -> None:
    groups = (Cells(4), Cells(2, bins=4))
    values = np.arange(12, dtype=np.float32)[None]
    np.testing.assert_array_equal(pooled(values, groups), [[0, 1, 2, 3, 22, 38]])
    masks = np.array([[1, 2, 3, 4, 5, 9]], np.float32)
    np.testing.assert_array_equal(
        expanded(masks, groups, 14), [[1, 2, 3, 4, 5, 5, 5, 5, 9, 9, 9, 9, 4, 4]]
    )
    many = np.arange(20, dtype=np.float32)[None]
    assert expanded(many, (Cells(20),), 21)[0, -1] == many[0, 4:].mean()
    a, b = (noise(1, 6, seed) + 1j * noise(1, 6, seed + 9) for seed in (1, 2))
    a, b = a.astype(np.complex64), b.astype(np.complex64)
    np.testing.assert_allclose(product(a, b), (a * b.conj()).real, rtol=1e-5)
