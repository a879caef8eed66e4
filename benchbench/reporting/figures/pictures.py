"""Images of audio: spectrograms, strips of values over time, waveform outlines.

Images are small PNG files as ``data:`` URLs, with one pixel per value; the page scales them.
"""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from scipy import signal

__all__ = ["loudest", "outline", "spectrogram", "strip"]

Floats = npt.NDArray[np.float64]

LOW_DB, HIGH_DB = -5.0, 15.0
"""Lower and upper limit of the colour scale of a strip."""


def strip(values: Floats) -> str:
    """An image of values in decibels of shape (rows, frames); missing values are transparent."""
    share = np.clip((values - LOW_DB) / (HIGH_DB - LOW_DB), 0.0, 1.0)
    colours = _coloured("cividis", np.nan_to_num(share))
    colours[..., 3] = np.where(np.isnan(values), 0.0, 1.0)
    return _png(colours)


def spectrogram(
    samples: Floats,
    rate: int,
    *,
    columns: int = 360,
    rows: int = 72,
    loudest: float | None = None,
) -> str:
    """An image of level over time and log frequency; 70 dB range, low frequencies at the bottom.

    Parameters
    ----------
    samples
        Mono, of shape (samples,).
    rate
        Sample rate in hertz.
    columns, rows
        The size of the image in pixels.
    loudest
        The level in dB of the brightest colour, to make several images comparable; by default
        the image's maximum.
    """
    level = _levels(samples, rate, columns, rows)
    top = float(level.max()) if loudest is None else loudest
    share = np.clip((level - top) / 70.0 + 1.0, 0.0, 1.0)
    return _png(_coloured("magma", share.T[::-1]))


def loudest(samples: Floats, rate: int) -> float:
    """The highest level in dB in a small spectrogram."""
    return float(_levels(samples, rate, 150, 56).max())


def _levels(samples: Floats, rate: int, columns: int, rows: int) -> Floats:
    """Power in dB of shape (frames, bands)."""
    length = 2048
    hop = max(256, len(samples) // columns)
    padded = np.pad(samples, (length // 2, length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop][: columns + 1]
    power = np.abs(np.fft.rfft(frames * signal.windows.hann(length), axis=1)) ** 2
    edges = np.geomspace(50.0, min(16000.0, rate / 2), rows + 1) * length / rate
    picked = np.unique(np.round(edges).astype(int))
    summed = np.add.reduceat(power, picked[:-1], axis=1) / np.diff(picked)
    return np.asarray(10 * np.log10(np.maximum(summed, 1e-12)), dtype=np.float64)


def outline(samples: Floats, *, points: int = 360, height: float = 40.0, width: float = 720) -> str:
    """The SVG path of a waveform's envelope, centred at half of `height`."""
    size = max(1, len(samples) // points)
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    peak = max(1e-9, float(np.abs(samples).max(initial=0.0)))
    high, low = whole.max(axis=1) / peak, whole.min(axis=1) / peak
    step = width / max(1, len(whole) - 1)
    middle = height / 2
    upper = [f"{i * step:.1f} {middle - v * middle:.1f}" for i, v in enumerate(high)]
    lower = [f"{i * step:.1f} {middle - v * middle:.1f}" for i, v in enumerate(low)]
    return "M" + "L".join([*upper, *reversed(lower)]) + "z"


def _coloured(scale: str, shares: Floats) -> Floats:
    """Colours of shares from 0 to 1, of one more dimension: red, green, blue, opacity."""
    import matplotlib as mpl  # a page without images does not need it

    return np.asarray(mpl.colormaps[scale](shares), dtype=np.float64)


def _png(colours: npt.NDArray[np.floating]) -> str:
    from matplotlib import image

    buffer = io.BytesIO()
    pixels = np.round(colours * 255).astype(np.uint8)
    image.imsave(buffer, pixels, format="png", metadata={"Software": "benchbench"})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
