"""Excerpts of songs of which the mixture alone is known."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ...configuration import Configuration, bin_count
from ...spectrum import Numbers, Samples, analyse, cells
from ..augmentation import MIXTURE, stereo_window
from ..batches import excerpt_length
from ..recipe import Recipe

Song = Callable[[], Mapping[str, npt.NDArray[Any]]]
"""Gives ``mixture`` at 44.1 kHz, (channels, samples), float32 or int16."""

TRIES = 4
QUIET = 1e-3
LEVEL_DB = 12.0


def draw_window(songs: Sequence[Song], length: int, rng: np.random.Generator) -> Samples:
    """So many samples of a song, float32 (2, length), up to `LEVEL_DB` softer than it is.

    Where the window is silent, another is drawn, a few times.
    """
    for _ in range(TRIES):
        song = songs[int(rng.integers(len(songs)))]()
        window = stereo_window(song[MIXTURE], rng.random(), length)
        if np.abs(window[:, ::64]).max(initial=0.0) > QUIET:
            break
    return window * np.float32(10.0 ** (-LEVEL_DB * rng.random() / 20.0))


class WithoutStems:
    """What all objectives share that learn from mixtures alone.

    Parameters
    ----------
    songs
        Songs of which the mixture is known.
    configuration
        The variant.
    recipe
        Sizes, and shares that are hidden.
    """

    def __init__(self, songs: Sequence[Song], configuration: Configuration, recipe: Recipe) -> None:
        self.songs, self.configuration, self.recipe = list(songs), configuration, recipe

    @property
    def variables(self) -> list[Any]:
        """Variables of the objective's own."""
        raise NotImplementedError

    def trained(self, network: Any) -> list[Any]:
        """The network's without the way from vectors to masks, and the objective's own."""
        return [*network.trunk_variables, *self.variables]

    def over(self, songs: Sequence[Song]) -> Self:
        """The same task, with the same variables, on other songs."""
        other = copy.copy(self)
        other.songs = list(songs)
        return other

    def windows(self, rng: np.random.Generator) -> Samples:
        """A batch of windows, float32 (batch_size, 2, samples)."""
        length = excerpt_length(self.configuration, self.recipe.frames)
        count = self.recipe.batch_size
        return np.stack([draw_window(self.songs, length, rng) for _ in range(count)])

    def seen(self, windows: Samples) -> Numbers:
        """What the network takes in of each window: float32 (batch_size, frames, 3, cells)."""
        c = self.configuration
        spectra = analyse(windows, c.frame, c.step, bin_count(c.groups))
        return np.stack([cells(one, c.groups) for one in spectra])
