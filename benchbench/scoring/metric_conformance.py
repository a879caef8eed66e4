"""Checks that a metric folder keeps the contract, for the tests and for ``bench doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from benchbench.io.audio.audio_files import Audio
from benchbench.plugins.metric_schema import MetricManifest
from benchbench.scoring.metric_process import Measured, MetricSetup, measured, take_faults
from benchbench.separation.conformance import Check

__all__ = ["check_metric"]

RATE = 44100
MUSIC: Final = ("music, stereo", "music, mono", "music at 48 kHz")
"""The checks in which every declared metric must have a number."""

_NO_VALUE = (None, "metric_undefined")


def check_metric(setup: MetricSetup, example: Mapping[str, Audio]) -> Iterator[Check]:
    """Measure test signals in the metric's process and check the values.

    Parameters
    ----------
    setup
        The metric, ready to be started.
    example
        True stems of a piece of music, each (2, samples) at 44.1 kHz.

    Yields
    ------
    The checks, one at a time.
    """
    manifest = setup.plugin.manifest
    target = manifest.targets[0] if manifest.targets else "vocals"
    reference = example.get(target, next(iter(example.values())))
    mixture: Audio = np.sum(list(example.values()), axis=0, dtype=np.float32)
    worse = reference + 0.3 * (mixture - reference)
    for name, first, second, rate in (
        ("music, stereo", reference, worse, RATE),
        ("music, mono", reference[:1], worse[:1], RATE),
        ("music at 48 kHz", reference, worse, 48000),
        ("an odd length", reference[:, :70001], worse[:, :70001], RATE),
        ("one sample", reference[:, 9000:9001], worse[:, 9000:9001], RATE),
        ("a silent estimate", reference, np.zeros_like(reference), RATE),
        ("full-scale clipping", reference, np.clip(50 * worse, -1, 1), RATE),
    ):
        yield _answers(setup, name, first, second, rate)
    bled, again = (_measure(setup, reference, worse) for _ in range(2))
    same = bled.values == again.values and bled.reason == again.reason
    differing = "" if same else f"{dict(bled.values)}, then {dict(again.values)}"
    yield Check("the same twice", same, differing)
    if manifest.reference:
        yield _direction(manifest, _measure(setup, reference, reference), bled)


def _measure(setup: MetricSetup, reference: Audio, estimate: Audio, rate: int = RATE) -> Measured:
    reference_or_none = reference if setup.plugin.manifest.reference else None
    return measured(setup, reference_or_none, estimate, rate)


def _answers(setup: MetricSetup, name: str, reference: Audio, estimate: Audio, rate: int) -> Check:
    """Each declared metric has one number in its range, or None."""
    found = _measure(setup, reference, estimate, rate)
    if found.reason not in _NO_VALUE:
        return Check(name, False, "; ".join(take_faults()) or str(found.reason))
    ranges = setup.plugin.manifest.metrics
    outside = [
        f"{key} = {value}"
        for key, value in found.values.items()
        if value is not None and not ranges[key].low <= value <= ranges[key].high
    ]
    if outside:
        return Check(name, False, f"outside its range: {', '.join(outside)}")
    absent = [key for key, value in found.values.items() if value is None]
    if name in MUSIC and absent:
        return Check(name, False, f"no number for {', '.join(absent)}")
    return Check(name, True, ", ".join(f"{key} {_shown(v)}" for key, v in found.values.items()))


def _direction(manifest: MetricManifest, best: Measured, worse: Measured) -> Check:
    """The reference scores at least as well as the reference with bleed."""
    wrong = []
    for name, one in manifest.metrics.items():
        ideal, bled = best.values.get(name), worse.values.get(name)
        if ideal is None or bled is None:
            continue
        if (ideal < bled) if one.direction == "higher" else (ideal > bled):
            wrong.append(f"{name}: {_shown(ideal)} for the reference, {_shown(bled)} with bleed")
    return Check("its direction is as declared", not wrong, "; ".join(wrong))


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
