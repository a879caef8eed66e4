"""A moving vocal tract: formant filtering that changes many times per second.

The tract is a cascade of resonances (Fant's acoustic theory of speech
production). Frames of the source are multiplied by its response of that
moment and overlap-added; each frame is short, its response may ring on.
"""

import numpy as np
import numpy.typing as npt
import scipy.fft

from .signals import SAMPLE_RATE, Signal

HOP = 256
FFT = 2048
_DELAY = np.exp(-2j * np.pi * np.arange(FFT // 2 + 1) / FFT).astype(np.complex64)[np.newaxis]

Response = npt.NDArray[np.complex64]


def resonance(frequency: Signal, bandwidth: Signal) -> Response:
    """Return 1/response (frames, bins) of resonators with gain 1 at 0 Hz.

    With radius r = exp(-pi B/fs) and angle w = 2 pi F/fs it is
    (1 - 2 r cos w z^-1 + r^2 z^-2) / (1 - 2 r cos w + r^2).
    """
    radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
    first = 2.0 * radius * np.cos(2.0 * np.pi * frequency / SAMPLE_RATE)
    gain = 1.0 / (1.0 - first + radius**2)
    a = (first * gain).astype(np.float32)[:, np.newaxis]
    b = (radius**2 * gain).astype(np.float32)[:, np.newaxis]
    g = gain.astype(np.float32)[:, np.newaxis]
    response: Response = g - _DELAY * (a - b * _DELAY)
    return response


def upper_resonances(tract: float) -> Response:
    """Return 1/response (1, bins) of the resonances above the fifth, which hardly move.

    Without them a cascade falls off far too steeply above 5 kHz.
    """
    total: Response = np.ones_like(_DELAY)
    frequency = 5500.0 * tract
    while frequency < 0.48 * SAMPLE_RATE:
        one = np.array([frequency])
        total = total * resonance(one, 0.08 * one)
        frequency += 1000.0 * tract
    return total


def tract_response(formants: Signal, tilt: Signal, tract: float) -> Response:
    """Return the response (frames, bins) for formants (frames, 5) in Hz.

    `tilt` (frames,) is the frequency in Hz from which on a one-pole low-pass
    softens the source: low for quiet notes, high for loud ones.
    """
    widths = (0.06, 0.055, 0.05, 0.06, 0.07)
    inverse = np.broadcast_to(upper_resonances(tract), (formants.shape[0], FFT // 2 + 1))
    for index, width in enumerate(widths):
        frequency = formants[:, index]
        inverse = inverse * resonance(frequency, 35.0 + width * frequency)
    pole = np.exp(-2.0 * np.pi * tilt / SAMPLE_RATE).astype(np.float32)[:, np.newaxis]
    return np.asarray((1.0 - pole) / ((1.0 - pole * _DELAY) * inverse))


def articulate(source: Signal, response: Response) -> Signal:
    """Filter `source` (samples,) by `response` (frames, bins), one frame each HOP samples."""
    frames = response.shape[0]
    padded = np.zeros((frames + 1) * HOP + FFT)
    padded[HOP : HOP + source.size] = source
    window = np.hanning(2 * HOP + 1)[:-1].astype(np.float32)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * HOP)[: frames * HOP : HOP]
    spectra = scipy.fft.rfft(pieces.astype(np.float32) * window, FFT, axis=1)
    sounding = scipy.fft.irfft(spectra * response, FFT, axis=1)
    blocks = np.zeros((frames + FFT // HOP, HOP))
    for part in range(FFT // HOP):
        blocks[part : part + frames] += sounding[:, part * HOP : (part + 1) * HOP]
    return blocks.reshape(-1)[HOP : HOP + source.size]
