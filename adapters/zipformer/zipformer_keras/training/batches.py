"""Excerpts as a network and its loss take them.

The loss in dB needs no spectra, only sums over cells: the error energy of a mask m is
m^2 |x|^2 - 2 m Re(x* s) + |s|^2, summed. That is several times less to compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..configuration import Configuration, bin_count, cell_count
from ..spectrum import Numbers, analyse, cells, pooled, product
from .augmentation import Excerpt, Library, draw_excerpt
from .tones import filtered, tones
from .variation import Variation

Batch = tuple[npt.NDArray[Any], ...]
"""Arrays that begin with the mixtures' cells; what follows belongs to the loss."""


def excerpt_length(configuration: Configuration, frames: int) -> int:
    """Samples under so many frames."""
    return (frames - 1) * configuration.step + configuration.frame


def draw_batch(
    library: Library,
    configuration: Configuration,
    size: int,
    frames: int,
    variation: Variation,
    rng: np.random.Generator,
    *,
    waves: bool = False,
    label: Callable[[Excerpt], Batch] = lambda _: (),
) -> Batch:
    """Draw a batch.

    Parameters
    ----------
    library
        The songs.
    configuration
        Names stems, cells and frames.
    size, frames
        Excerpts, and frames of each.
    variation
        How they are varied.
    rng
        Source of all randomness.
    waves
        Whether the loss compares samples, see `wave_example`; otherwise see `cell_example`.
    label
        Gives more arrays of an excerpt, which follow the others.
    """
    length = excerpt_length(configuration, frames)
    bins, examples = bin_count(configuration.groups), []
    for _ in range(size):
        excerpt = draw_excerpt(library, configuration.stems, length, variation, rng)
        gains = tones(configuration.stems, bins, configuration.frame, variation, rng)
        make = wave_example if waves else cell_example
        examples.append((*make(excerpt, gains, configuration), *label(excerpt)))
    return tuple(np.stack(parts) for parts in zip(*examples, strict=True))


def cell_example(excerpt: Excerpt, gains: Numbers, configuration: Configuration) -> Batch:
    """One excerpt for `loss.snr_loss`.

    Parameters
    ----------
    excerpt
        The stems.
    gains
        float32 (stems, bins): each stem's filter.
    configuration
        The variant.

    Returns
    -------
    tuple
        The mixture's cells, float32 (frames, 3, cells); targets, Re(x* s), float32 (frames, stems,
        2, cells); |s|^2 summed, float32 (stems,); and which stems are known.
    """
    groups = configuration.groups
    spectra = np.ascontiguousarray(
        analyse(excerpt.samples, configuration.frame, configuration.step, bin_count(groups))
    )
    spectra *= gains[:, None, None, :]
    mixture = spectra.sum(axis=0)
    seen = cells(mixture, groups)
    energy = np.array([np.square(one.view(np.float32)).sum() for one in spectra], np.float32)
    frames, count = spectra.shape[2], cell_count(groups)
    targets = np.empty((frames, len(spectra), 2, count), np.float32)
    for stem, spectrum in enumerate(spectra):
        targets[:, stem] = pooled(product(mixture, spectrum), groups).transpose(1, 0, 2)
    return seen, targets, energy, excerpt.known


def wave_example(excerpt: Excerpt, gains: Numbers, configuration: Configuration) -> Batch:
    """One excerpt for `loss.multi_resolution_loss`.

    Parameters
    ----------
    excerpt, gains, configuration
        See `cell_example`.

    Returns
    -------
    tuple
        The mixture's cells; its spectrum, float32 (frames, 2, 2, bins): real and imaginary
        parts of both channels; the stems' samples; and which stems are known.
    """
    stems = filtered(excerpt.samples, gains)
    groups = configuration.groups
    mixture = analyse(stems.sum(axis=0), configuration.frame, configuration.step, bin_count(groups))
    parts = np.stack([mixture.real, mixture.imag]).transpose(2, 0, 1, 3)
    return cells(mixture, groups), parts, stems, excerpt.known
