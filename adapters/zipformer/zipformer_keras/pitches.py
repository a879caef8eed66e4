"""Pitches of 20 cents and the cells of their partials, by formula: nothing here is learned or stored."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .configuration import Configuration

Numbers = npt.NDArray[np.float32]

RATE = 44_100
LOWEST_HZ = 65.406
"""C2, the first pitch."""
PER_OCTAVE = 60
PITCHES = 240
"""Four octaves, to 1035 Hz."""
TOP_HZ = 5000.0
"""Partials above are not looked at."""
WIDTH_HZ, WIDTH = 16.0, 0.012
"""A partial is so wide, in Hz and relative to its frequency, whichever is more."""
VOCALS = "vocals"
"""The stem that has a pitch."""
LEVEL = 0.01
"""Added to a spectrum's deviation, so that silence has no pitch."""
TONE_BANDS = 8
"""Bands in which the comb has gains of its own, as wide as each other in octaves."""


def frequencies() -> Numbers:
    """The pitches in Hz, (pitches,)."""
    steps = np.arange(PITCHES) / PER_OCTAVE
    return (LOWEST_HZ * 2.0**steps).astype(np.float32)


def nearest(hertz: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """The nearest pitch's number; `PITCHES` where the frequency is 0 or out of reach."""
    with np.errstate(divide="ignore"):
        number = np.round(PER_OCTAVE * np.log2(hertz / LOWEST_HZ))
    inside = (number >= 0) & (number < PITCHES)
    return np.where(inside, number, PITCHES).astype(np.int64)


def cell_frequencies(configuration: Configuration) -> Numbers:
    """The middle of every cell in Hz, (cells,)."""
    middles, first = [], 0
    for group in configuration.groups:
        starts = first + np.arange(group.count) * group.bins
        middles.append(starts + (group.bins - 1) / 2)
        first += group.count * group.bins
    scale = RATE / configuration.frame
    return (np.concatenate(middles) * scale).astype(np.float32)


def combs(configuration: Configuration) -> Numbers:
    """How much of a cell belongs to a partial of a pitch, 0 to 1, (pitches, cells)."""
    cells = cell_frequencies(configuration).astype(np.float64)
    pitch = frequencies().astype(np.float64)[:, None]
    partial = np.maximum(np.round(cells / pitch), 1.0)
    distance = np.abs(cells - partial * pitch)
    width = np.maximum(WIDTH_HZ, WIDTH * cells)
    inside = np.clip(1.5 - distance / width, 0.0, 1.0)
    return (inside * (cells <= TOP_HZ)).astype(np.float32)


def detectors(configuration: Configuration) -> Numbers:
    """Filters whose answer to a level spectrum is high at its pitch, (cells, pitches).

    The comb with its partials weighted by 1 / sqrt(k), less its mean over the cells, so that a flat
    spectrum gives 0; each filter has the norm 1.
    """
    cells = cell_frequencies(configuration).astype(np.float64)
    partial = np.maximum(np.round(cells / frequencies().astype(np.float64)[:, None]), 1.0)
    weighted = combs(configuration) / np.sqrt(partial)
    reached = cells <= TOP_HZ
    weighted -= reached * weighted.sum(axis=1, keepdims=True) / reached.sum()
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True)
    filters: Numbers = np.ascontiguousarray(weighted.T, np.float32)
    return filters


def tone_bands(configuration: Configuration) -> Numbers:
    """Which band a cell lies in, 0 or 1, (bands, cells); none above `TOP_HZ`."""
    cells = np.maximum(cell_frequencies(configuration).astype(np.float64), 1.0)
    edges = np.log2(TOP_HZ / LOWEST_HZ) * np.arange(1, TONE_BANDS) / TONE_BANDS
    band = np.digitize(np.log2(cells / LOWEST_HZ), edges)
    rows = (band == np.arange(TONE_BANDS)[:, None]) & (cells <= TOP_HZ)
    bands: Numbers = rows.astype(np.float32)
    return bands
