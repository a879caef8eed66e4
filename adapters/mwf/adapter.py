"""The ideal multichannel Wiener filter: loudness and direction of each bin, from the true stems.

It sees the references, so it is an upper bound for separators that filter the channels of a bin
together. The model is the local Gaussian one, as for the oracle MWF of SiSEC18: stem j has the
covariance ``P_j(f, t) R_j(f)``, where R_j, its direction, does not change in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

Audio = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex128]

TRANSFORM = ShortTimeFFT(hann(2048, sym=False), hop=1024, fs=1.0)
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
    ) -> dict[str, Audio]:
        """Stems (channels, samples) from the mixture and its true stems."""
        del sample_rate
        if self.rest and self.rest not in references:
            rest = [audio for name, audio in references.items() if name != "vocals"]
            references = {"vocals": references["vocals"], self.rest: np.sum(rest, axis=0)}
        length = mixture.shape[1]
        room = max(0, 2048 - length)  # the transform needs one window at least
        audio = [mixture, *references.values()]
        spectra = [TRANSFORM.stft(np.pad(a, ((0, 0), (0, room))), axis=1) for a in audio]
        filtered = [np.empty_like(spectra[0]) for _ in references]
        for start in range(0, spectra[0].shape[1], BINS):
            part = slice(start, start + BINS)
            mixed, *true = (np.moveaxis(s[:, part], 0, -1).astype(np.complex128) for s in spectra)
            for made, stem in zip(filtered, wiener(mixed, true), strict=True):
                made[:, part] = np.moveaxis(stem, -1, 0)
        estimates = {}
        for name, spectrum in zip(references, filtered, strict=True):
            signal = TRANSFORM.istft(spectrum, k1=length + room, f_axis=1, t_axis=2)
            estimates[name] = np.real(signal[:, :length]).astype(np.float32)
        return estimates


def wiener(mixture: Complex, stems: list[Complex]) -> list[Complex]:
    """Filter a mixture with what its stems say.

    Parameters
    ----------
    mixture, stems
        Spectra (bins, frames, channels).
    """
    models = [gaussian(stem) for stem in stems]
    covariances = [power[..., None, None] * direction[:, None] for power, direction in models]
    total = np.sum(covariances, axis=0)
    channels = mixture.shape[-1]
    level = np.trace(total, axis1=-2, axis2=-1).real / channels
    total = total + (LEAST * level + np.finfo(np.float64).tiny ** 0.5)[..., None, None] * np.eye(
        channels
    )
    whitened = np.linalg.solve(total, mixture[..., None])
    return [(covariance @ whitened)[..., 0] for covariance in covariances]


def gaussian(stem: Complex) -> tuple[npt.NDArray[np.float64], Complex]:
    """Power (bins, frames) and direction (bins, channels, channels) of a stem.

    The direction is the mean of its frames' outer products, each divided by its power, with a
    trace of the number of channels; the power is then what best explains the frames given it.
    """
    channels = stem.shape[-1]
    outer = stem[..., :, None] * stem[..., None, :].conj()
    power = np.mean(np.abs(stem) ** 2, axis=-1)
    direction = np.mean(outer / (power + np.finfo(np.float64).eps)[..., None, None], axis=1)
    trace = np.trace(direction, axis1=-2, axis2=-1).real[:, None, None]
    even = np.eye(channels)
    direction = np.where(trace > 0, direction * channels / np.where(trace > 0, trace, 1), even)
    direction = (1 - LEAST) * direction + LEAST * even
    explained = np.linalg.solve(direction[:, None], outer)
    likely = np.trace(explained, axis1=-2, axis2=-1).real / channels
    return np.maximum(likely, 0), np.asarray(direction, np.complex128)
