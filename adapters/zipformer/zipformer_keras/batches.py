"""Excerpts as a network and its loss want them.

With magnitude masks the loss needs no spectra, only sums over cells: the error energy of a mask
m is m^2 |x|^2 - 2 m Re(x* s) + |s|^2, summed. That is several times less to compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .configuration import Configuration, bin_count, cell_count
from .material import Song, Variation, draw_excerpt, tones
from .spectrum import Numbers, Samples, analyse, cells, pooled, product


@dataclass(frozen=True, slots=True)
class Batch:
    """Some excerpts.

    Parameters
    ----------
    cells
        float32 (excerpts, frames, 3 or 4, cells): the mixtures, see `network.features`.
    targets
        float32. For magnitude masks (excerpts, frames, stems, 2, cells): Re(x* s). For complex
        ones (excerpts, frames, 2, stems, 2, cells): the stems' spectra.
    energy
        float32 (excerpts, stems): |s|^2, summed.
    """

    cells: Numbers
    targets: Numbers
    energy: Numbers


def excerpt_length(configuration: Configuration, frames: int) -> int:
    """Samples under so many frames."""
    return (frames - 1) * configuration.step + configuration.frame


def draw_batch(
    songs: Sequence[Song],
    configuration: Configuration,
    size: int,
    frames: int,
    variation: Variation,
    rng: np.random.Generator,
) -> Batch:
    """Draw a batch.

    Parameters
    ----------
    songs
        The songs.
    configuration
        Names stems, bands and frames.
    size, frames
        Excerpts, and frames of each.
    variation
        How they are varied.
    rng
        Source of all randomness.
    """
    batch = _empty(configuration, size, frames)
    length = excerpt_length(configuration, frames)
    for index in range(size):
        stems = draw_excerpt(songs, configuration.stems, length, variation, rng)
        gains = tones(
            len(stems), bin_count(configuration.groups), configuration.frame, variation, rng
        )
        _fill(batch, index, stems, gains, configuration)
    return batch


def plain_batch(stems: Samples, configuration: Configuration) -> Batch:
    """One excerpt as it is: float32 (stems, 2, samples)."""
    frames = (stems.shape[-1] - configuration.frame) // configuration.step + 1
    batch = _empty(configuration, 1, frames)
    _fill(batch, 0, stems[..., : excerpt_length(configuration, frames)], None, configuration)
    return batch


def _empty(configuration: Configuration, size: int, frames: int) -> Batch:
    count, stems = cell_count(configuration.groups), len(configuration.stems)
    parts = () if configuration.mask == "magnitude" else (2,)
    return Batch(
        np.empty((size, frames, 3 + len(parts), count), np.float32),
        np.empty((size, frames, *parts, stems, 2, count), np.float32),
        np.empty((size, stems), np.float32),
    )


def _fill(
    batch: Batch,
    index: int,
    stems: Samples,
    gains: Numbers | None,
    configuration: Configuration,
) -> None:
    groups = configuration.groups
    spectra = np.ascontiguousarray(
        analyse(stems, configuration.frame, configuration.step, bin_count(groups))
    )
    if gains is not None:
        spectra *= gains[:, None, None, :]
    mixture = spectra.sum(axis=0)
    batch.cells[index] = cells(mixture, groups, configuration.mask)
    if configuration.mask == "magnitude":
        for stem, spectrum in enumerate(spectra):
            batch.targets[index, :, stem] = pooled(product(mixture, spectrum), groups).transpose(
                1, 0, 2
            )
            flat = spectrum.view(np.float32).ravel()
            batch.energy[index, stem] = np.dot(flat, flat)
    else:
        batch.targets[index, :, 0] = spectra.real.transpose(2, 0, 1, 3)
        batch.targets[index, :, 1] = spectra.imag.transpose(2, 0, 1, 3)
        batch.energy[index] = np.square(np.abs(spectra)).sum(axis=(1, 2, 3))
