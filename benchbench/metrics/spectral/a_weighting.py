"""The A-weighting filter of auraloss."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import signal

__all__ = ["TAPS", "a_weighting"]

TAPS = 101


@cache
def a_weighting(sample_rate: int) -> tuple[float, ...]:
    """A linear-phase filter of 101 taps with the magnitude of A-weighting (IEC 61672).

    The analogue filter is converted to the sampling rate by the bilinear transform, and its
    magnitude at 512 frequencies is fitted by least squares, as auraloss does.
    """
    poles_hz = (20.598997, 107.65265, 737.86223, 12194.217)
    gain = 10.0 ** (1.9997 / 20.0)
    low, second, third, high = (2.0 * np.pi * pole for pole in poles_hz)
    numerator = [high**2 * gain, 0.0, 0.0, 0.0, 0.0]
    denominator = np.poly([-high, -high, -low, -low, -third, -second])
    digital = signal.bilinear(numerator, denominator, fs=sample_rate)
    frequencies, response = signal.freqz(*digital, worN=512, fs=sample_rate)
    return tuple(signal.firls(TAPS, frequencies, np.abs(response), fs=sample_rate))
