"""The signal path against one long transform in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from spleeter_keras.signal_path import BINS, FRAME, STEP, Synthesis, analyse, segments

LENGTHS = [0, 1, 1023, 520_192, 520_193, 524_288, 700_001]


def through(signal: np.ndarray, cut: int, bins: int) -> np.ndarray:
    channels = signal.shape[0]
    synthesis = Synthesis(channels)
    blocks = (signal[:, i : i + cut] for i in range(0, signal.shape[1], cut))
    return np.concatenate(
        [
            synthesis.add(analyse(segment.samples)[..., :bins])[:, segment.complete]
            for segment in segments(blocks, channels)
        ],
        axis=1,
    )


def whole(signal: np.ndarray, bins: int) -> np.ndarray:
    channels, length = signal.shape
    count = -(-(length + FRAME) // STEP)
    padded = np.zeros((channels, FRAME + length + FRAME))
    padded[:, FRAME : FRAME + length] = signal
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    out = np.zeros((channels, count * STEP + FRAME))
    for k in range(count):
        frame = padded[:, k * STEP : k * STEP + FRAME]
        frame = np.pad(frame, ((0, 0), (0, FRAME - frame.shape[1])))
        spectrum = np.fft.rfft(frame * window)
        spectrum[:, bins:] = 0
        out[:, k * STEP : k * STEP + FRAME] += np.fft.irfft(spectrum, FRAME) * window * 2 / 3
    return out[:, FRAME : FRAME + length]


@pytest.mark.parametrize("length", LENGTHS)
def test_all_bins_give_the_signal_back(noise, length):
    signal = noise[:, :length]
    result = through(signal, 100_000, BINS)
    assert result.shape == signal.shape
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, signal, atol=2e-6)


@pytest.mark.parametrize("cut", [4096, 65_537, 10**9])
def test_segments_join_to_what_one_long_transform_gives(noise, cut):
    signal = noise[:, :700_001]
    np.testing.assert_allclose(through(signal, cut, 700), whole(signal, 700), atol=2e-6)
