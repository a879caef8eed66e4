"""Where in frequency: SDR by band for every model and target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup
from scipy import signal

from benchbench.reporting.data import kept_audio as sounds
from benchbench.reporting.data.kept_audio import Library
from benchbench.reporting.data.leaderboards import TARGETS
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.figures.curves import OCTAVES, Curve, curves
from benchbench.stats import leaderboard

__all__ = ["Band", "BandTable", "band_tables", "reference_spectra"]

LOUD = 4


@dataclass(frozen=True, slots=True)
class Band:
    """The value of one model in one band, and the class of its cell's colour."""

    value: float | None
    low: float | None
    high: float | None
    heat: str


@dataclass(frozen=True, slots=True)
class BandTable:
    """One target: a row a model, a column a band, and the same as curves."""

    target: str
    protocol: str
    bands: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Band, ...]], ...]
    figure: Markup
    shaded: bool


def heat(value: float | None) -> str:
    """The class of a cell by its value in decibels: nine steps of 2.5 dB from 0 upwards."""
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
    """One table a target, from the first protocol by bands that is stored."""
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
    made = leaderboard(rows[rows["protocol"] == chosen], "median over tracks")
    targets = sorted(
        {str(name) for name in made["target"]},
        key=lambda name: (TARGETS.index(name) if name in TARGETS else 9, name),
    )
    return tuple(
        _table(
            made[made["target"] == target], target, chosen, report_models, spectra.get(target, [])
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
    records = rows.to_dict("records")
    edges = sorted({(float(row["band_lo_hz"]), float(row["band_hi_hz"])) for row in records})
    held = {
        (str(row["model"]), float(row["band_lo_hz"])): (
            float(row["value"]),
            float(row["lo"]),
            float(row["hi"]),
        )
        for row in records
    }
    names = [name for name in report_models if any(name == model for model, _ in held)]
    empty = (np.nan, np.nan, np.nan)
    grid = {name: [held.get((name, low), empty) for low, _ in edges] for name in names}
    ranked = [name for name in names if report_models[name].ranked][:LOUD]
    loud = set(ranked or names[:LOUD])
    middles = [float(np.sqrt(max(low, 1.0) * high)) for low, high in edges]
    lines = [
        Curve(
            name,
            report_models[name].index,
            tuple(
                (middle, cell[0], _plain(cell[1]), _plain(cell[2]))
                for middle, cell in zip(middles, grid[name], strict=True)
                if not np.isnan(cell[0])
            ),
            name in loud,
            f"{name} (oracle)" if report_models[name].oracle else "",
        )
        for name in names
    ]
    shown = [line for line in lines if line.points]
    shown.sort(key=lambda line: line.loud)
    figure = curves(
        shown,
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
            (name, tuple(Band(_plain(v), _plain(a), _plain(b), heat(v)) for v, a, b in grid[name]))
            for name in names
        ),
        figure if shown else Markup(""),
        bool(spectrum),
    )


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
    """The mean level of each reference by third of an octave, in dB re its loudest band.

    Over the first `most` tracks whose audio was kept; empty without any.
    """
    if library is None:
        return {}
    middles = 1000.0 * 2.0 ** (np.arange(-13, 14) / 3)
    answer = {}
    for stem in stems:
        found = [library.reference(track, stem) for track in tracks]
        levels = [_levels(path, middles) for path in [one for one in found if one][:most]]
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
