"""Figures of single tracks over time: waveform, spectrogram and one strip per model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from benchbench.errors import DamagedResultsError
from benchbench.reporting.data import kept_audio as sounds
from benchbench.reporting.data.frames import TrackInTime
from benchbench.reporting.data.kept_audio import Library
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.figures import pictures
from benchbench.reporting.figures.shapes import shape
from benchbench.reporting.formatting import clock, decibels
from benchbench.reporting.sections.listening import Excerpt

__all__ = ["Timeline", "timeline"]

WIDTH = 720
NAMES = 168  # room for names on the left
ROW = 20
WAVE = 40
TONES = 84
HALF_LABEL = 16  # half the width of a time such as 0:06


@dataclass(frozen=True, slots=True)
class Timeline:
    """The figure of one track and its text alternative."""

    track: str
    figure: Markup
    summary: Markup


def timeline(
    one: TrackInTime,
    models: Sequence[str],
    report_models: dict[str, ReportModel],
    target: str,
    library: Library | None,
    excerpt: Excerpt | None,
    identifier: str,
) -> Timeline:
    """Draw a track; waveform and spectrogram only if the reference's audio was kept."""
    shown = [name for name in models if name in one.models]
    length = one.length_s
    parts: list[Markup] = []
    top = 4.0
    heard = _reference(library, one.track, target)
    if heard is not None:
        samples, rate = heard
        mono = samples.mean(axis=1)
        length = max(length, len(mono) / rate)
        width = (len(mono) / rate) / length * WIDTH
        parts += [_wave(mono, top, width, target), _tones(mono, rate, top + WAVE + 6, width)]
        top += WAVE + TONES + 16
    begin = top
    for place, name in enumerate(shown):
        values = one.values[one.models.index(name)]
        parts.append(_strip(values, one, length, begin + place * ROW, report_models[name]))
    top = begin + ROW * len(shown) + 4
    parts.append(_seconds(length, top))
    if excerpt is not None:
        parts.append(_heard(excerpt, length, top))
    return Timeline(
        one.track, _figure(parts, top + 18, one, target, length, identifier), _summary(one, shown)
    )


def _reference(
    library: Library | None, track: str, target: str
) -> tuple[sounds.Floats, int] | None:
    """The kept audio of a reference; None if there is none, or if it cannot be decoded."""
    path = library.reference(track, target) if library else None
    try:
        return sounds.read(path) if path is not None else None
    except DamagedResultsError:
        return None


def _figure(
    parts: list[Markup], height: float, one: TrackInTime, target: str, length: float, name: str
) -> Markup:
    return Markup(
        '<svg class="figure timeline" viewBox="{0} 0 {1} {2:.0f}" role="img" '
        'aria-labelledby="{3}-t {3}-d" data-track="{4}" data-length="{5:.3f}">'
        '<title id="{3}-t">{6} over time: {4}</title>'
        '<desc id="{3}-d">One strip per model, one cell per frame of {7:g} s; light is good, dark is bad, '
        "empty has no value.</desc>{8}</svg>"
    ).format(
        -NAMES,
        WIDTH + NAMES,
        height,
        name,
        one.track,
        length,
        target,
        one.duration_s,
        Markup("").join(parts),
    )


def _wave(mono: sounds.Floats, top: float, width: float, target: str) -> Markup:
    return Markup(
        '<text class="tick" x="-8" y="{:.0f}" text-anchor="end">{} (reference)</text>'
        '<path class="wave" transform="translate(0 {})" d="{}"/>'
    ).format(top + WAVE / 2 + 4, target, top, pictures.outline(mono, height=WAVE, width=width))


def _tones(mono: sounds.Floats, rate: int, top: float, width: float) -> Markup:
    return Markup(
        '<text class="tick" x="-8" y="{0:.0f}" text-anchor="end">16 kHz</text>'
        '<text class="tick" x="-8" y="{1:.0f}" text-anchor="end">50 Hz</text>'
        '<image x="0" y="{2}" width="{3:.1f}" height="{4}" preserveAspectRatio="none" href="{5}"/>'
    ).format(top + 10, top + TONES, top, width, TONES, pictures.spectrogram(mono, rate))


def _strip(
    values: sounds.Floats, one: TrackInTime, length: float, top: float, report_model: ReportModel
) -> Markup:
    hop = float(np.median(np.diff(one.starts))) if len(one.starts) > 1 else one.duration_s
    start = float(one.starts[0]) / length * WIDTH
    width = hop * len(values) / length * WIDTH
    name = report_model.name if len(report_model.name) <= 22 else report_model.name[:21] + "…"
    return Markup(
        '<g class="c{0}"><path class="dot" transform="translate({1} {2:.0f}) scale(.8)" d="{3}"/></g>'
        '<text class="label" x="{4}" y="{5:.0f}">{6}</text>'
        '<rect class="nothing" x="{7:.1f}" y="{8}" width="{9:.1f}" height="{10}"/>'
        '<image class="strip" x="{7:.1f}" y="{8}" width="{9:.1f}" height="{10}" '
        'preserveAspectRatio="none" href="{11}"/>'
    ).format(
        report_model.index % 8,
        -NAMES + 8,
        top + 9,
        shape(report_model.index),
        -NAMES + 20,
        top + 13,
        name,
        start,
        top,
        min(width, WIDTH - start),
        ROW - 3,
        pictures.strip(values[None, :]),
    )


def _anchor(x: float) -> str:
    """The alignment of a label at `x` that keeps it inside the figure."""
    if x == 0:
        return "start"
    return "end" if x > WIDTH - HALF_LABEL else "middle"


def _seconds(length: float, top: float) -> Markup:
    step = next(
        step for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 3600) if length / step <= 12
    )
    text = Markup('<text class="tick" x="{:.1f}" y="{:.0f}" text-anchor="{}">{}</text>')
    marks = np.arange(0.0, length, step)
    return Markup("").join(
        text.format(mark / length * WIDTH, top + 10, _anchor(mark / length * WIDTH), clock(mark))
        for mark in marks
    )


def _heard(excerpt: Excerpt, length: float, bottom: float) -> Markup:
    x = excerpt.start_s / length * WIDTH
    return Markup(
        '<rect class="heard" x="{:.1f}" y="2" width="{:.1f}" height="{:.0f}"><title>{}</title></rect>'
    ).format(x, excerpt.length_s / length * WIDTH, bottom - 2, "The excerpt under Listening")


def _summary(one: TrackInTime, shown: Sequence[str]) -> Markup:
    told = []
    for name in shown[:4]:
        row = one.values[one.models.index(name)]
        if not np.isnan(row).all():
            frame = int(np.nanargmin(row))
            told.append(
                Markup("<bdi>{}</bdi> is worst at {} ({} dB)").format(
                    name, clock(float(one.starts[frame])), decibels(float(row[frame]), 1)
                )
            )
    return Markup("; ").join(told) + "." if told else Markup("")
