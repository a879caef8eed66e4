"""Measure the live models of a run, once for each version of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchbench.datasets.preparation import prepare
from benchbench.datasets.tracks import Track
from benchbench.errors import BenchbenchError
from benchbench.io.audio.conversion import convert
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.io.hashing import short_hash
from benchbench.io.processes.scratch import scratch_folder
from benchbench.results.store import Results
from benchbench.running.events import Listener, Note, Stage
from benchbench.separation.identity import Identity
from benchbench.separation.model_setup import identity
from benchbench.separation.separator import Limits, ModelSetup, WorkerSeparator
from benchbench.separation.streaming import measure_live
from benchbench.separation.workers.worker_process import WorkerFailureError

__all__ = ["LiveModel", "measure_live_models", "unmeasured"]

EXCERPT_S = 10.0


@dataclass(frozen=True, slots=True)
class LiveModel:
    """A live model that is to be measured, and the name of its measurement."""

    setup: ModelSetup
    identity: Identity
    live_id: str


def unmeasured(
    results: Results, setups: Mapping[str, ModelSetup], *, again: bool = False
) -> tuple[LiveModel, ...]:
    """The live models without a stored measurement, or all live models."""
    every = []
    for setup in setups.values():
        if setup.model.variant.live:
            own = identity(setup)
            every.append(LiveModel(setup, own, short_hash("live", *asdict(own).values())))
    return tuple(one for one in every if again or not results.live_path(one.live_id).is_file())


def measure_live_models(
    results: Results,
    run_id: str,
    models: Sequence[LiveModel],
    track: Track,
    limits: Limits,
    listener: Listener,
) -> None:
    """Measure live models and store the measurements.

    A model that fails to stream is reported in a note, and the run continues.

    Parameters
    ----------
    results, run_id
        Where measurements are stored, and the run that they belong to.
    models
        The models.
    track
        The track whose middle ten seconds are streamed.
    limits
        Time and memory limits.
    listener
        Called with notes.
    """
    with scratch_folder() as scratch:
        excerpt, rate = _excerpt(track, scratch)
        for model in models:
            name = model.setup.model.name
            listener(Stage(f"Measuring {name} live"))
            folder = scratch / model.live_id
            folder.mkdir()
            log = results.root / "runs" / run_id / "live.log"
            try:
                rows = list(_rows(model.setup, excerpt, rate, folder, limits, log))
            except (WorkerFailureError, BenchbenchError) as error:
                listener(Note(f"{name} cannot be measured live: {error}"))
                continue
            facts = {"live_id": model.live_id, "run_id": run_id, "threads": model.setup.threads,
                     "dataset": track.dataset, "track": track.name}  # fmt: skip
            results.write_live([{**facts, **asdict(model.identity), **row} for row in rows])


def _rows(
    setup: ModelSetup, excerpt: RawAudio, rate: int, folder: Path, limits: Limits, log: Path
) -> Iterator[dict[str, Any]]:
    audio = setup.model.manifest.audio
    own_rate, channels = audio.sample_rate or rate, audio.channels or excerpt.channels
    converted = convert(excerpt, folder / "excerpt.f32", rate, own_rate, channels)
    with WorkerSeparator(setup, limits, log) as worker:
        for measured in measure_live(worker, converted, own_rate, folder):
            yield asdict(measured)


def _excerpt(track: Track, scratch: Path) -> tuple[RawAudio, int]:
    """The middle of a track."""
    prepared = prepare(track, scratch / "track")
    rate, total = prepared.sample_rate, prepared.mixture.samples
    length = min(total, round(EXCERPT_S * rate))
    first = (total - length) // 2
    audio = prepared.mixture.open()[:, first : first + length]
    return write_raw(scratch / "excerpt.f32", [audio]), rate
