"""SDR by frequency band for every model and target."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup
from scipy import signal

from benchbench.errors import DamagedResultsError
from benchbench.reporting.data import kept_audio as sounds
from benchbench.reporting.data.kept_audio import Library
from benchbench.reporting.data.leaderboards import TARGETS
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.figures.curves import OCTAVES, Curve, curves
from benchbench.stats import leaderboard

__all__ = ["Band", "BandTable", "band_tables", "reference_spectra"]

LOUD = 4

_Cell: TypeAlias = tuple[float, float, float]
"""A value and its interval."""


@dataclass(frozen=True, slots=True)
class Band:
    """The value of one model in one band, and the CSS class of its cell."""

    value: float | None
    low: float | None
    high: float | None
    heat: str


@dataclass(frozen=True, slots=True)
class BandTable:
    """One target: one row per model, one column per band, and the same values as curves."""

    target: str
    protocol: str
    bands: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Band, ...]], ...]
    figure: Markup
    shaded: bool


def heat(value: float | None) -> str:
    """The CSS class of a value in decibels: nine steps of 2.5 dB from 0 dB upwards."""
    if value is None or np.isnan(value):
        return "none"
    return f"h{int(np.clip((value + 2.5) // 2.5, 0, 8))}"


def band_tables(
    table: pd.DataFrame,
    dataset: str,
    references: str,
    report_models: dict[str, ReportModel],
    spectra: dict[str, list[tuple[float, float]]],
) -> tuple[BandTable, ...]:
    """One table per target, from the first stored protocol with bands."""
    rows = table[
        (table["dataset"] == dataset)
        & (table["reference_set"] == references)
        & table["band_lo_hz"].notna()
        & (table["metric"] == "SDR")
    ]
    protocols = sorted(str(name) for name in rows["protocol"].unique())
    if not protocols:
        return ()
    chosen = "bands-octave" if "bands-octave" in protocols else protocols[0]
    medians = leaderboard(rows[rows["protocol"] == chosen], "median over tracks")
    targets = sorted(
        {str(name) for name in medians["target"]},
        key=lambda name: (TARGETS.index(name) if name in TARGETS else 9, name),
    )
    return tuple(
        _table(
            medians[medians["target"] == target],
            target,
            chosen,
            report_models,
            spectra.get(target, []),
        )
        for target in targets
    )


def _table(
    rows: pd.DataFrame,
    target: str,
    protocol: str,
    report_models: dict[str, ReportModel],
    spectrum: list[tuple[float, float]],
) -> BandTable:
    edges, cells = _cells(rows, report_models)
    middles = [float(np.sqrt(max(low, 1.0) * high)) for low, high in edges]
    lines = _lines(cells, middles, report_models)
    figure = curves(
        lines,
        spectrum,
        target,
        f"Median SDR over tracks in {len(edges)} bands; the table beside it holds the numbers.",
        f"bands-{target}",
    )
    return BandTable(
        target,
        protocol,
        tuple(_hertz(middle) for middle in middles),
        tuple(
            (name, tuple(Band(_plain(v), _plain(a), _plain(b), heat(v)) for v, a, b in bands))
            for name, bands in cells.items()
        ),
        figure if lines else Markup(""),
        bool(spectrum),
    )


def _cells(
    rows: pd.DataFrame, report_models: dict[str, ReportModel]
) -> tuple[list[tuple[float, float]], dict[str, list[_Cell]]]:
    """The bands' edges in hertz, and per model each band's value with its interval, or NaN."""
    records = rows.to_dict("records")
    edges = sorted({(float(row["band_lo_hz"]), float(row["band_hi_hz"])) for row in records})
    values = {
        (str(row["model"]), float(row["band_lo_hz"])): (
            float(row["value"]),
            float(row["lo"]),
            float(row["hi"]),
        )
        for row in records
    }
    measured = {model for model, _ in values}
    empty = (np.nan, np.nan, np.nan)
    return edges, {
        name: [values.get((name, low), empty) for low, _ in edges]
        for name in report_models
        if name in measured
    }


def _lines(
    cells: dict[str, list[_Cell]], middles: list[float], report_models: dict[str, ReportModel]
) -> list[Curve]:
    """One curve per model that has a value; highlighted curves are drawn last."""
    ranked = [name for name in cells if report_models[name].ranked][:LOUD]
    loud = set(ranked or list(cells)[:LOUD])
    lines = []
    for name, bands in cells.items():
        points = tuple(
            (middle, value, _plain(low), _plain(high))
            for middle, (value, low, high) in zip(middles, bands, strict=True)
            if not np.isnan(value)
        )
        label = f"{name} (oracle)" if report_models[name].oracle else ""
        if points:
            lines.append(Curve(name, report_models[name].index, points, name in loud, label))
    return sorted(lines, key=lambda line: line.loud)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _nominal(middle: float) -> float:
    """The nominal centre of an octave band near a computed one: 500 for 501.2."""
    return next((octave for octave in OCTAVES if abs(middle / octave - 1) < 0.03), middle)


def _hertz(value: float) -> str:
    value = _nominal(value)
    if value >= 950:
        return f"{value / 1000:.2g} kHz"
    return f"{value:.3g} Hz" if value < 100 else f"{float(f'{value:.3g}'):.0f} Hz"


def reference_spectra(
    library: Library | None, tracks: Sequence[str], stems: Sequence[str], *, most: int = 12
) -> dict[str, list[tuple[float, float]]]:
    """The mean level of each reference by third-octave band, in dB re its loudest band.

    Over the first `most` tracks whose audio was kept; empty without any.
    """
    if library is None:
        return {}
    middles = 1000.0 * 2.0 ** (np.arange(-13, 14) / 3)
    answer = {}
    for stem in stems:
        paths = filter(None, (library.reference(track, stem) for track in tracks))
        levels = []
        for path in islice(paths, most):
            with contextlib.suppress(DamagedResultsError):
                levels.append(_levels(path, middles))
        if levels:
            power = np.mean(levels, axis=0)
            decibels = 10 * np.log10(np.maximum(power / power.max(), 1e-9))
            answer[stem] = list(zip(middles.tolist(), decibels.tolist(), strict=True))
    return answer


def _levels(path: Path, middles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    samples, rate = sounds.read(path)
    frequencies, power = signal.welch(samples.mean(axis=1), rate, nperseg=8192)
    sums = [
        power[(frequencies >= middle / 2 ** (1 / 6)) & (frequencies < middle * 2 ** (1 / 6))].sum()
        for middle in middles
    ]
    return np.asarray(sums) / max(float(power.sum()), 1e-12)
