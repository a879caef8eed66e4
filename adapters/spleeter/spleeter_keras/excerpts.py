"""Excerpts for training: random windows of songs, augmented, as magnitudes.

Every draw depends on the seed and on the number of the step alone, so that a run that was
interrupted goes on with exactly the excerpts it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from .architecture import CHANNELS, Configuration
from .signal_path import WINDOW, analyse

Samples = npt.NDArray[np.float32]
Example = Callable[[], Mapping[str, Samples]]
"""Gives a song's stems at 44.1 kHz, float32 (channels, samples), all of one length.

It is called whenever an excerpt of the song is wanted, and only the excerpt is touched: memory
maps are best."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How excerpts are varied; zeros switch it off.

    Parameters
    ----------
    gain_db
        Each stem is made louder or softer by up to this much.
    speed
        The excerpt is played faster or slower by up to this fraction, which shifts pitch and
        tempo together.
    swap_channels
        Whether left and right change places in half of the excerpts, stem by stem.
    """

    gain_db: float = 6.0
    speed: float = 0.06
    swap_channels: bool = True


NO_AUGMENTATION = Augmentation(0.0, 0.0, swap_channels=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Magnitudes of some excerpts.

    Parameters
    ----------
    mixture
        float32 (excerpts, frames, bins, 2).
    stems
        float32 (stems, excerpts, frames, bins, 2).
    """

    mixture: npt.NDArray[np.float32]
    stems: npt.NDArray[np.float32]


def draw_batch(
    examples: Sequence[Example],
    configuration: Configuration,
    size: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Batch:
    """Draw excerpts from random places of random songs.

    Parameters
    ----------
    examples
        The songs.
    configuration
        Names the stems and the bins.
    size
        Number of excerpts.
    augmentation
        How they are varied.
    rng
        Source of all randomness.

    Returns
    -------
    Batch
        The mixture is the sum of the stems as they were varied.
    """
    drawn = []
    for _ in range(size):
        stems = examples[int(rng.integers(len(examples)))]()
        drawn.append(_excerpt(stems, configuration.stems, augmentation, rng))
    return _as_batch(drawn, configuration)


def fixed_batch(example: Example, configuration: Configuration, excerpts: int) -> list[Batch]:
    """Excerpts spread evenly over a song, one a batch, the same at every call."""
    stems = {name: _stereo(samples) for name, samples in _chosen(example(), configuration.stems)}
    length = min(samples.shape[1] for samples in stems.values())
    starts = np.linspace(0, max(length - WINDOW, 0), max(excerpts, 1)).astype(int)
    return [
        _as_batch(
            [np.stack([_window(samples, int(start), WINDOW) for samples in stems.values()])],
            configuration,
        )
        for start in dict.fromkeys(starts.tolist())
    ]


def _excerpt(
    stems: Mapping[str, Samples],
    names: tuple[str, ...],
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Samples:
    """One excerpt of all stems, float32 (stems, 2, `WINDOW`)."""
    chosen = _chosen(stems, names)
    speed = 1.0 + augmentation.speed * rng.uniform(-1.0, 1.0)
    needed = int(np.ceil(WINDOW * speed))
    start = int(rng.integers(max(chosen[0][1].shape[1] - needed, 0) + 1))
    excerpt = np.zeros((len(names), CHANNELS, WINDOW), np.float32)
    for index, (_, samples) in enumerate(chosen):
        window = _window(_stereo(samples), start, needed)
        if augmentation.speed:
            window = soxr.resample(window.T, speed, 1.0).T[:, :WINDOW]
        gain = 10.0 ** (augmentation.gain_db * rng.uniform(-1.0, 1.0) / 20.0)
        if augmentation.swap_channels and rng.random() < 0.5:
            window = window[::-1]
        excerpt[index, :, : window.shape[1]] = window[:, :WINDOW] * np.float32(gain)
    return excerpt


def _chosen(stems: Mapping[str, Samples], names: tuple[str, ...]) -> list[tuple[str, Samples]]:
    for name in names:
        if name not in stems:
            raise ValueError(
                f"A song lacks the stem {name!r}; it has {', '.join(stems) or 'none'}."
            )
    return [(name, stems[name]) for name in names]


def _stereo(samples: Samples) -> Samples:
    return samples[[0, 0]] if samples.shape[0] == 1 else samples[:CHANNELS]


def _window(samples: Samples, start: int, length: int) -> Samples:
    window = np.asarray(samples[:, start : start + length], np.float32)
    return np.pad(window, ((0, 0), (0, length - window.shape[1])))


def _as_batch(excerpts: list[Samples], configuration: Configuration) -> Batch:
    mixture = np.stack([_magnitudes(stems.sum(axis=0), configuration.bins) for stems in excerpts])
    stems = np.stack(
        [[_magnitudes(stem, configuration.bins) for stem in stems] for stems in excerpts],
        axis=1,
    )
    return Batch(mixture, stems)


def _magnitudes(samples: Samples, bins: int) -> npt.NDArray[np.float32]:
    """What a network sees of one window: (frames, bins, 2)."""
    magnitudes: npt.NDArray[np.float32] = np.abs(analyse(samples)[..., :bins]).transpose(1, 2, 0)
    return magnitudes
