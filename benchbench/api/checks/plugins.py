"""Checks of a model's or a metric's contract on short audio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from benchbench.datasets.dataset import open_dataset
from benchbench.datasets.stem_files import find_tracks
from benchbench.errors import BenchbenchError
from benchbench.io.audio.audio_files import Audio, read
from benchbench.io.audio.decoding import info
from benchbench.io.processes.scratch import scratch_folder
from benchbench.metrics.pairing.stem_names import canonical, name_key
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.metric_catalog import MetricPlugin
from benchbench.running.events import Listener, Note, callbacks
from benchbench.running.machine import processors
from benchbench.scoring.metric_conformance import check_metric as check_metric_setup
from benchbench.scoring.metric_folders import metric_setup
from benchbench.separation.conformance import Check, check_adapter
from benchbench.separation.model_setup import prepare_models
from benchbench.separation.precomputed import stems_folder
from benchbench.separation.separator import ModelSetup

__all__ = ["check_metric", "check_model"]

EXAMPLE_RATE: Final = 44100
METRIC_EXAMPLE_S: Final = 12.0
"""Length of the music that metrics are checked with: several embeddings of three seconds."""


def check_model(catalog: Catalog, model: Model, listener: Listener) -> Iterator[Check]:
    """The contract of a separator, or the files of stems computed elsewhere."""
    setup = prepare_models([model], None, "auto", {}, processors(), *callbacks(listener))[
        model.name
    ]
    if model.manifest.kind == "folder":
        yield from _check_folder(setup)
        return
    with scratch_folder() as scratch:
        yield from check_adapter(setup, scratch, _example(catalog))


def check_metric(catalog: Catalog, metric: MetricPlugin, listener: Listener) -> Iterator[Check]:
    """The contract of a metric folder."""
    setup = metric_setup(metric, {}, lambda text: listener(Note(text)))
    yield from check_metric_setup(setup, _example(catalog, METRIC_EXAMPLE_S))


def _check_folder(setup: ModelSetup) -> Iterator[Check]:
    """Check stems computed elsewhere: every track has all of them, and they can be read."""
    place, wanted = stems_folder(setup), setup.model.variant.stems
    tracks = find_tracks(place)
    yield Check("tracks", bool(tracks), f"{len(tracks)} in {place}")
    for track in tracks:
        files = {name_key(canonical(stem)): path for stem, path in track.stems.items()}
        keys = {stem: name_key(canonical(stem)) for stem in wanted}
        missing = [stem for stem, key in keys.items() if key not in files]
        try:
            facts = {info(files[key].resolve()) for key in keys.values() if key in files}
        except BenchbenchError as error:
            yield Check(track.name, False, str(error))
            continue
        details = [track.problem] if track.problem else []
        details += [f"missing: {', '.join(missing)}"] if missing else []
        details += ["stems differ in rate, channels or length"] if len(facts) > 1 else []
        yield Check(track.name, not details, "; ".join(details))


def _example(catalog: Catalog, seconds: float = 4.0) -> dict[str, Audio]:
    """Music of that length: the demo's first track, repeated as often as needed."""
    track = open_dataset(catalog.dataset("demo")).tracks[0]
    samples = round(seconds * EXAMPLE_RATE)
    example = {}
    for stem, source in track.stems.items():
        audio = read(source.path)[0]
        repeated = np.tile(audio, -(-samples // audio.shape[1]))
        example[stem] = np.ascontiguousarray(repeated[:, :samples])
    return example
