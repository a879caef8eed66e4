"""Gammatone spectrograms: the energy of windowed frames after a bank of auditory filters.

Each frame is filtered from a zero state, and the energy of the filter's output within the frame
counts. It is computed without filtering: by Parseval's theorem the whole output has the energy of
the product of spectra, and the energy after the frame's end is a quadratic form of the eight state
variables of the filter at that time. Both are matrix products over all frames at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import fft

__all__ = ["BANDS", "FRAME", "HOP", "SAMPLE_RATE", "levels", "prepared"]

Float64 = npt.NDArray[np.float64]

SAMPLE_RATE = 48_000
FRAME = 3840
"""Frame length in samples: 80 ms."""

HOP = 960
BANDS = 32
LOWEST_HZ = 50.0
EAR_Q = 9.26449
MIN_BANDWIDTH_HZ = 24.7
"""Bandwidths follow Glasberg and Moore (1990): frequency / EAR_Q + MIN_BANDWIDTH_HZ."""

FLOOR_DB = -45.0
"""Floor in decibels: absolute, and relative to the louder of both frames."""

_SPECTRUM = 1 << 14
"""Transform length; the longest impulse response has decayed after 12,000 samples."""

_BATCH = 64


def levels(signal: Float64) -> Float64:
    """The spectrogram of a signal in decibels, 10 log10 of the root mean square.

    Parameters
    ----------
    signal
        float64 of shape (samples,) at 48 kHz, at least one frame long.

    Returns
    -------
    float64 of shape (32, frames), lowest band first
    """
    bank = _bank()
    views = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME) / (FRAME - 1))
    energies = []
    for first in range(0, len(views), _BATCH):
        frames = views[first : first + _BATCH] * window
        spectra = fft.rfft(frames, _SPECTRUM, axis=-1)
        power = spectra.real**2 + spectra.imag**2
        ringing = ((frames @ bank.ringing) ** 2).reshape(len(frames), BANDS, -1).sum(axis=2)
        energies.append(power @ bank.energy - ringing)
    mean_square = np.maximum(np.concatenate(energies).T, 0.0) / FRAME
    root = np.sqrt(mean_square)
    return np.asarray(10.0 * np.log10(np.where(root == 0.0, np.finfo(np.float64).eps, root)))


def prepared(reference: Float64, estimate: Float64) -> tuple[Float64, Float64]:
    """Two spectrograms with inaudible levels raised to a floor, which is set to 0 dB."""
    reference, estimate = np.maximum(reference, FLOOR_DB), np.maximum(estimate, FLOOR_DB)
    shared = min(reference.shape[1], estimate.shape[1])
    loudest = np.maximum(reference[:, :shared].max(axis=0), estimate[:, :shared].max(axis=0))
    for spectrogram in (reference, estimate):
        part = spectrogram[:, :shared]
        np.maximum(part, loudest + FLOOR_DB, out=part)
    lowest = min(reference.min(), estimate.min())
    return reference - lowest, estimate - lowest


@dataclass(frozen=True, slots=True)
class _Bank:
    """The filters as two matrices.

    Attributes
    ----------
    energy
        Shape (bins, bands): weights of a power spectrum whose sum is a filter's output energy.
    ringing
        Shape (FRAME, 8 * bands): the squares of a frame times this matrix add up, for each filter,
        to the energy of its output after the frame's end.
    """

    energy: Float64
    ringing: Float64


@cache
def _bank() -> _Bank:
    sections, poles = _coefficients()
    points = np.exp(-2j * np.pi * np.arange(_SPECTRUM // 2 + 1) / _SPECTRUM)
    response = np.ones((len(points), BANDS), dtype=np.complex128)
    denominator = 1.0 + poles[0] * points[:, None] + poles[1] * points[:, None] ** 2
    for first, second in sections:
        response *= (first + second * points[:, None]) / denominator
    energy = np.abs(response) ** 2 * (2.0 / _SPECTRUM)
    energy[[0, -1]] /= 2.0
    return _Bank(energy, _ringing(sections, poles))


def _ringing(sections: Float64, poles: Float64) -> Float64:
    """`_Bank.ringing`, from the filters' states after an impulse and their outputs from a state."""
    held = np.zeros((4, 2, BANDS))
    states = np.empty((FRAME, 8, BANDS))
    for place in range(FRAME - 1, -1, -1):  # state at the frame's end after an impulse
        _step(held, sections, poles, float(place == FRAME - 1))
        states[place] = held.reshape(8, BANDS)
    free = np.zeros((4, 2, 8, BANDS))
    free.reshape(8, 8, BANDS)[...] = np.eye(8)[:, :, None]
    outputs = np.empty((BANDS, _SPECTRUM - FRAME, 8))
    for place in range(outputs.shape[1]):
        out = _step(free, sections[..., None, :], poles[..., None, :], 0.0)
        outputs[:, place] = out.T
    # The squares of the states times these triangles are the energies.
    triangles = np.asarray(np.linalg.qr(outputs, mode="r"))
    products = states.transpose(2, 0, 1) @ triangles.swapaxes(1, 2)
    return np.ascontiguousarray(products.transpose(1, 0, 2)).reshape(FRAME, -1)


def _step(held: Float64, sections: Float64, poles: Float64, value: float) -> Float64:
    """Advance all filters by one sample, in transposed direct form; `held` is overwritten."""
    signal: Float64 = np.full(held.shape[2:], value)
    for state, (first, second) in zip(held, sections, strict=True):
        out = first * signal + state[0]
        state[0] = second * signal - poles[0] * out + state[1]
        state[1] = -poles[1] * out
        signal = out
    return signal


def _coefficients() -> tuple[Float64, Float64]:
    """The four second-order sections of every band (Slaney 1993).

    Returns
    -------
    Numerators of shape (4, 2, bands), gain included, and the denominators' last two coefficients
    of shape (2, bands), which all four share.
    """
    step = 1.0 / SAMPLE_RATE
    centres = _centres()
    width = 1.019 * 2.0 * np.pi * (centres / EAR_Q + MIN_BANDWIDTH_HZ)
    angle, decay = 2.0 * np.pi * centres * step, np.exp(-width * step)
    poles = np.stack([-2.0 * np.cos(angle) * decay, decay**2])
    roots = np.sqrt([3.0 + 2.0**1.5, 3.0 - 2.0**1.5])
    zeros = np.array([roots[0], -roots[0], roots[1], -roots[1]])[:, None]
    second = -step * decay * (np.cos(angle) + zeros * np.sin(angle))
    at_centre = np.exp(-1j * angle)
    denominator = 1.0 + poles[0] * at_centre + poles[1] * at_centre**2
    gain = np.abs(np.prod((step + second * at_centre) / denominator, axis=0))
    sections = np.stack([np.full_like(second, step), second], axis=1)
    sections[0] /= gain
    return sections, poles


def _centres() -> Float64:
    """Centre frequencies in hertz, lowest first, equally spaced on the bandwidth scale."""
    offset = EAR_Q * MIN_BANDWIDTH_HZ
    highest = SAMPLE_RATE / 2.0
    step = np.log((LOWEST_HZ + offset) / (highest + offset)) / BANDS
    falling = -offset + np.exp(np.arange(1, BANDS + 1) * step) * (highest + offset)
    return np.asarray(falling[::-1])
