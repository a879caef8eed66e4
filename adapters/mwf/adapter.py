"""The ideal multichannel Wiener filter: loudness and direction of each bin, from the true stems.

It sees the references, so it is an upper bound for separators that filter the channels of a bin
together. The model is the local Gaussian one, as for the oracle MWF of SiSEC18: stem j has the
covariance ``P_j(f, t) R_j(f)``, where R_j, its direction, does not change in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

Audio = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex128]
Power = npt.NDArray[np.float64]
Model: TypeAlias = tuple[Power, Complex]

WINDOW = 2048
TRANSFORM = ShortTimeFFT(hann(WINDOW, sym=False), hop=WINDOW // 2, fs=1.0)
FRAMES = 512
"""Frames that are worked on at a time, so that memory does not follow the song's length."""
CONTEXT = 2 * WINDOW
"""Samples on both sides of a block: its own do not depend on its borders."""
BINS = 64
"""Frequencies that are filtered at a time: the covariances of all would not fit in memory."""
LEAST = 1e-7
"""Share of an even spread over the channels that is added to each direction, so that a stem which
is the same in all channels has one too that can be inverted."""


class Adapter:
    """Filters the mixture with ``P_j R_j (sum_k P_k R_k)^-1``."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Choose the stems."""
        del weights, device, options
        self.rest = "accompaniment" if variant == "2stems" else None

    def separate(
        self, mixture: Audio, sample_rate: int, references: Mapping[str, Audio]
    ) -> Iterator[dict[str, Audio]]:
        """Yield stems (channels, samples) from the mixture and its true stems, block by block.

        The stems' directions come first, from all of the song.
        """
        del sample_rate
        stems = self.stems(references)
        directions = [song_direction(parts) for parts in stems.values()]
        length = mixture.shape[1]
        for start in range(0, max(1, length), FRAMES * TRANSFORM.hop):
            stop = min(length, start + FRAMES * TRANSFORM.hop)
            first = max(0, start - CONTEXT)
            audio = [part([mixture], first, stop + CONTEXT)]
            audio += [part(parts, first, stop + CONTEXT) for parts in stems.values()]
            made = filtered(audio, directions)
            own = slice(start - first, stop - first)
            yield {name: signal[:, own] for name, signal in zip(stems, made, strict=True)}

    def stems(self, references: Mapping[str, Audio]) -> dict[str, list[Audio]]:
        """Stems and the references that each is the sum of."""
        if not self.rest or self.rest in references:
            return {name: [audio] for name, audio in references.items()}
        rest = [audio for name, audio in references.items() if name != "vocals"]
        return {"vocals": [references["vocals"]], self.rest: rest}


def part(audio: list[Audio], start: int, stop: int) -> Audio:
    """Samples of a sum of signals; where they are fewer than a window, zeros follow."""
    whole = np.sum([one[:, start:stop] for one in audio], axis=0)
    return np.pad(whole, ((0, 0), (0, max(0, WINDOW - whole.shape[1]))))


def song_direction(audio: list[Audio]) -> Complex:
    """The direction (bins, channels, channels) of a stem, from all frames of a song."""
    length = max(WINDOW, audio[0].shape[1])
    total, frames = None, 0
    for first in range(TRANSFORM.p_min, TRANSFORM.p_max(length), FRAMES):
        last = min(first + FRAMES, TRANSFORM.p_max(length))
        start = max(0, first * TRANSFORM.hop - CONTEXT)  # a whole number of hops
        piece = part(audio, start, last * TRANSFORM.hop + CONTEXT)
        moved = start // TRANSFORM.hop
        spectrum = TRANSFORM.stft(piece, first - moved, last - moved, axis=1)
        sums = shapes(np.moveaxis(spectrum, 0, -1).astype(np.complex128))
        total = sums if total is None else total + sums
        frames += last - first
    assert total is not None
    return direction(total, frames)


def filtered(audio: list[Audio], directions: list[Complex]) -> list[Audio]:
    """Stems (channels, samples) from a mixture, which is the first, and its true stems."""
    samples = audio[0].shape[1]
    spectra = [TRANSFORM.stft(one, axis=1) for one in audio]
    made = [np.empty_like(spectra[0]) for _ in directions]
    for start in range(0, spectra[0].shape[1], BINS):
        bins = slice(start, start + BINS)
        mixed, *true = (np.moveaxis(s[:, bins], 0, -1).astype(np.complex128) for s in spectra)
        models = [
            (explained_power(stem, way[bins]), way[bins])
            for stem, way in zip(true, directions, strict=True)
        ]
        for spectrum, stem in zip(made, wiener(mixed, models), strict=True):
            spectrum[:, bins] = np.moveaxis(stem, -1, 0)
    signals = (TRANSFORM.istft(spectrum, k1=samples, f_axis=1, t_axis=2) for spectrum in made)
    return [np.real(signal).astype(np.float32) for signal in signals]


def wiener(mixture: Complex, models: list[Model]) -> list[Complex]:
    """Filter a mixture (bins, frames, channels) with its stems' powers and directions."""
    covariances = [power[..., None, None] * way[:, None] for power, way in models]
    total = np.sum(covariances, axis=0)
    channels = mixture.shape[-1]
    level = np.trace(total, axis1=-2, axis2=-1).real / channels
    total = total + (LEAST * level + np.finfo(np.float64).tiny ** 0.5)[..., None, None] * np.eye(
        channels
    )
    whitened = np.linalg.solve(total, mixture[..., None])
    return [(covariance @ whitened)[..., 0] for covariance in covariances]


def gaussian(stem: Complex) -> Model:
    """Power (bins, frames) and direction (bins, channels, channels) of a stem's spectrum."""
    way = direction(shapes(stem), stem.shape[1])
    return explained_power(stem, way), way


def shapes(stem: Complex) -> Complex:
    """The sum over frames of their outer products, each divided by its power."""
    power = np.mean(np.abs(stem) ** 2, axis=-1) + np.finfo(np.float64).eps
    scaled: Complex = stem / power[..., None]
    return np.asarray(np.einsum("ftc,ftd->fcd", scaled, stem.conj()), np.complex128)


def direction(sums: Complex, frames: int) -> Complex:
    """The mean of `shapes` over frames, with a trace of the number of channels."""
    channels = sums.shape[-1]
    mean = sums / frames
    trace = np.trace(mean, axis1=-2, axis2=-1).real[:, None, None]
    even = np.eye(channels)
    mean = np.where(trace > 0, mean * channels / np.where(trace > 0, trace, 1), even)
    return np.asarray((1 - LEAST) * mean + LEAST * even, np.complex128)


def explained_power(stem: Complex, way: Complex) -> Power:
    """The power (bins, frames) that best explains a stem's frames given its direction."""
    outer = stem[..., :, None] * stem[..., None, :].conj()
    explained = np.linalg.solve(way[:, None], outer)
    likely = np.trace(explained, axis1=-2, axis2=-1).real / stem.shape[-1]
    return np.asarray(np.maximum(likely, 0), np.float64)
