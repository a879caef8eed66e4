"""The metric folder `pitch`, with mir_eval for its measures, for verification.

The pitches of references and estimates are found by the folder's network: what is verified are the
definitions of the measures, the choice of the audio and the stored numbers.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchbench.errors import UsageError
from benchbench.io.audio.conversion import convert
from benchbench.io.audio.raw_audio import write_raw
from benchbench.plugins.metric_catalog import MetricCatalog, MetricPlugin
from benchbench.scoring.metric_folders import metric_setup

__all__ = ["MEASURES", "NAME", "melody_measures", "pitch_plugin"]

NAME: Final = "pitch"

MEASURES: Final = {
    "raw-pitch-accuracy": "Raw Pitch Accuracy",
    "voicing-recall": "Voicing Recall",
    "voicing-false-alarm": "Voicing False Alarm",
}
"""Our names and mir_eval's."""

Float64 = npt.NDArray[np.float64]
Melody = tuple[Float64, npt.NDArray[np.bool_]]
"""Pitch in hertz and voicing of each frame."""


def pitch_plugin() -> MetricPlugin:
    """The metric folder that ships with the package."""
    plugin = MetricCatalog(working_directory=None).find(NAME)
    if plugin is None:
        raise UsageError(f"The metric folder {NAME} is not installed.")
    return plugin


def melody_measures(
    references: Float64, estimates: Float64, sample_rate: int
) -> dict[str, Float64]:
    """mir_eval's measures of melodies; NaN where they are a share of no frame.

    Parameters
    ----------
    references, estimates
        Shape (sources, channels, samples).
    sample_rate
        In hertz.

    Returns
    -------
    dict
        Metric to values of shape (sources, 1), each a share from 0 to 1.
    """
    plugin = pitch_plugin()
    setup = metric_setup(plugin, {})
    network = _module(plugin.folder / plugin.manifest.module)
    network.load(setup.weights, dict(setup.options))
    rate = plugin.manifest.audio.sample_rate or sample_rate
    rows = []
    for pair in zip(references, estimates, strict=True):
        reference, estimate = (network.pitches(_mono(audio, sample_rate, rate)) for audio in pair)
        rows.append(_measures(reference, estimate, network.HOP / rate))
    return {name: np.array([[row[name]] for row in rows]) for name in MEASURES}


def _measures(reference: Melody, estimate: Melody, hop_s: float) -> dict[str, float]:
    from mir_eval import melody

    times = np.arange(len(reference[0])) * hop_s
    signed = [np.where(voiced, pitch, -pitch) for pitch, voiced in (reference, estimate)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mir_eval warns of melodies without voiced frames
        measures = melody.evaluate(times, signed[0], times, signed[1])
    voiced = reference[1]
    frames = {"voicing-false-alarm": ~voiced}
    return {
        name: float(measures[theirs]) if frames.get(name, voiced).any() else float("nan")
        for name, theirs in MEASURES.items()
    }


def _mono(audio: Float64, rate: int, to_rate: int) -> npt.NDArray[np.float32]:
    with tempfile.TemporaryDirectory(prefix="benchbench-pitch-") as folder:
        raw = write_raw(Path(folder, "audio.f32"), [audio.astype(np.float32)])
        mono = convert(raw, Path(folder, "mono.f32"), rate, to_rate, 1)
        return np.array(mono.open()[0])


def _module(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("benchbench_metric_pitch", file)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
