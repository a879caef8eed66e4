"""Cells, waveforms and losses: what a network is taught by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from zipformer_keras.configuration import Configuration, bin_count
from zipformer_keras.spectrum import Synthesis, analyse, expanded
from zipformer_keras.training.augmentation import Excerpt
from zipformer_keras.training.batches import cell_example, wave_example
from zipformer_keras.training.loss import (
    RESOLUTIONS,
    error_energies,
    multi_resolution_loss,
    snr_loss,
    waveforms,
)
from zipformer_keras.training.tones import tones
from zipformer_keras.training.variation import Variation

from .songs import STEMS, flat

Networks = dict[str, Configuration]


def excerpt(stems: np.ndarray, known: tuple[int, ...] = (1, 1, 1, 1)) -> Excerpt:
    return Excerpt(stems, np.array(known, np.float32))


@pytest.fixture
def stems() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((4, 2, 128 * 11 + 512)) / 10).astype(np.float32)


def test_the_cells_give_the_error_of_the_masked_spectra(
    networks: Networks, stems: np.ndarray
) -> None:
    c, rng = networks["offline"], np.random.default_rng(1)
    bins = bin_count(c.groups)
    gain = tones(STEMS, bins, c.frame, Variation(tone=1.0), rng)
    seen, targets, energy, _ = cell_example(excerpt(stems), gain, c)
    masks = rng.uniform(0, 1, (12, 4, 2, targets.shape[-1])).astype(np.float32)
    found = error_energies(masks[None], seen[None], targets[None], energy[None])
    spectra = analyse(stems, c.frame, c.step, bins) * gain[:, None, None]
    for stem in range(4):
        mask = expanded(masks[:, stem], c.groups, bins)
        error = np.abs(mask.transpose(1, 0, 2) * spectra.sum(axis=0) - spectra[stem]) ** 2
        assert float(found[0, stem]) == pytest.approx(error.sum(), rel=1e-4)


def test_waveforms_in_the_graph_are_those_of_inference(
    networks: Networks, stems: np.ndarray
) -> None:
    c, rng = networks["offline"], np.random.default_rng(1)
    seen, spectrum, *_ = wave_example(excerpt(stems), flat(c), c)
    masks = rng.uniform(0, 1, (12, 4, 2, seen.shape[-1])).astype(np.float32)
    found = np.asarray(waveforms(masks[None], spectrum[None], c))[0]
    bins = bin_count(c.groups)
    mixture = analyse(stems.sum(axis=0), c.frame, c.step, bins)
    for stem in range(4):
        mask = expanded(masks[:, stem], c.groups, bins)
        full = np.zeros((2, 15, c.frame // 2 + 1), np.complex64)
        full[:, :12, :bins] = mask.transpose(1, 0, 2) * mixture
        plain = Synthesis(c.frame, c.step).add(full, slice(0, stems.shape[-1]))
        np.testing.assert_allclose(found[stem], plain, atol=1e-6)


def test_losses_know_right_from_wrong(networks: Networks, stems: np.ndarray) -> None:
    c = replace(networks["offline"], step=64)
    stems = np.repeat(stems, 8, axis=-1)  # longer than the longest frame
    seen, spectrum, waves, known = wave_example(excerpt(stems), flat(c), c)
    assert waves.shape[-1] > max(RESOLUTIONS) + 2 * c.frame
    frames, cells = seen.shape[0], seen.shape[-1]
    even = np.full((1, frames, 4, 2, cells), 0.25, np.float32)
    uneven = even.copy()
    uneven[:, :, 0], uneven[:, :, 1:] = 0.97, 0.01
    loss = multi_resolution_loss(c)
    args = (seen[None], spectrum[None], waves[None], known[None])
    assert float(loss(even, *args)) < float(loss(uneven, *args))
    alone = np.stack([stems[0], *[np.zeros_like(stems[0])] * 3])
    example = [part[None] for part in cell_example(excerpt(alone), flat(c), c)]
    assert float(snr_loss(uneven, *example)) < float(snr_loss(even, *example)) - 5.0
