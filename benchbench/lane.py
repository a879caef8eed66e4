"""A lane: one process that decodes tracks and scores separations, beside the driver.

The driver holds no audio. A lane keeps the prepared references of the track in hand, so that all
models of a track share them; it ends when the driver does, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from types import ModuleType
from typing import ParamSpec, TypeVar

import numpy as np

from benchbench.audio import Audio, write_flac
from benchbench.corpus import Track
from benchbench.labels import swapped
from benchbench.metrics import Protocol, Series, protocol
from benchbench.metrics.references import References
from benchbench.plan import cell_id
from benchbench.preparation import PreparedTrack, prepare, summed
from benchbench.scoring import Labels, rows, score_set
from benchbench.scratch import RawAudio
from benchbench.store import Results, safe_name
from benchbench.targets import ReferenceSet, reference_sets

__all__ = ["Lane", "ScoreTask", "Scored"]


@dataclass(frozen=True)
class ScoreTask:
    """One separation to be scored and stored.

    Parameters
    ----------
    prepared
        The track.
    stems
        The model's stems.
    labels
        What every row says of its origin.
    protocols
        Names of the protocols to compute.
    results
        The results' folder.
    keep_audio
        Whether to keep stems and references for listening, as 16-bit FLAC.
    """

    prepared: PreparedTrack
    stems: Mapping[str, RawAudio]
    labels: Labels
    protocols: tuple[str, ...]
    results: Path
    keep_audio: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """What the driver is told of a scored separation.

    `headline` is one number a target of the first protocol's first metric, in the first set of
    references (the median where there are frames). `warning` says what looks wrong though it was
    scored.
    """

    headline: Mapping[str, float | None]
    seconds: float
    warning: str | None = None


P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """One process; calls are carried out in order."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(self._threads,)
        )
        with _plain_main():
            pool.submit(_ready)  # starts the process
        return pool

    def prepare(self, track: Track, folder: Path) -> Future[PreparedTrack]:
        """Decode a track into raw files."""
        return self._submit(prepare, track, folder)

    def score(self, task: ScoreTask) -> Future[Scored]:
        """Score a separation and store its cells."""
        return self._submit(_score, task)

    def _submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand a call to the process; a new one is started where it was killed before."""
        try:
            return self._pool.submit(call, *args, **kwargs)
        except BrokenProcessPool:
            self._pool = self._start()
            return self._pool.submit(call, *args, **kwargs)

    def close(self) -> None:
        """End the process once its calls are done."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_references: dict[str, dict[str, References]] = {}
"""The prepared references of the track in hand: fingerprint to set name to references."""


@contextmanager
def _plain_main() -> Iterator[None]:
    """Hide the user's script from processes that start meanwhile.

    A spawned process runs the parent's main module again, which in a script without
    ``if __name__ == "__main__"`` would start the whole benchmark anew. A lane needs none of it.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _ready() -> None:
    """Nothing; submitted so that the process starts."""


def _begin(threads: int) -> None:
    """Set the process up: numeric threads, Ctrl-C left to the driver, an end with the driver."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _score(task: ScoreTask) -> Scored:
    start = time.perf_counter()
    prepared, results = task.prepared, Results(task.results)
    stems = {name: raw.open() for name, raw in task.stems.items()}
    protocols = [protocol(name) for name in task.protocols]
    sets = reference_sets(tuple(prepared.stems), tuple(stems))
    scored = {
        chosen.name: score_set(_prepared_references(prepared, chosen), stems, chosen, protocols)
        for chosen in sets
    }
    if task.keep_audio:
        _keep_audio(task, sets)
    for each in protocols:
        cell = cell_id(task.labels.separation_id or "", each)
        table = rows(task.labels, each, {name: by[each.name] for name, by in scored.items()}, cell)
        results.write_scores(cell, task.labels.model, task.labels.dataset, table)
    first = scored[sets[0].name][protocols[0].name]
    warning = _swapped(prepared, stems, sets[0])
    return Scored(_headline(first, protocols[0]), time.perf_counter() - start, warning)


def _swapped(
    prepared: PreparedTrack, stems: Mapping[str, Audio], chosen: ReferenceSet
) -> str | None:
    """A sentence where stems seem to have changed places."""
    estimates = {t: stems[parts[0]] for t, parts in chosen.estimates.items() if len(parts) == 1}
    references = {t: raw.open() for t, raw in _targets(prepared, chosen).items()}
    found = swapped(estimates, references)
    return f"swapped labels? {', '.join(found)}" if found else None


def _prepared_references(prepared: PreparedTrack, chosen: ReferenceSet) -> References:
    fingerprint = prepared.mixture.file
    if fingerprint not in _references:
        _references.clear()
        _references[fingerprint] = {}
    kept = _references[fingerprint]
    if chosen.name not in kept:
        audio = {name: raw.open() for name, raw in _targets(prepared, chosen).items()}
        kept[chosen.name] = References(audio, prepared.sample_rate)
    return kept[chosen.name]


def _targets(prepared: PreparedTrack, chosen: ReferenceSet) -> dict[str, RawAudio]:
    """Each target's reference; a sum is written once a track."""
    folder = Path(prepared.mixture.file).parent
    found = {}
    for target, parts in chosen.references.items():
        path = folder / f"target-{'-'.join(parts)}.f32"[:200]
        shape = prepared.mixture.channels, prepared.mixture.samples
        there = path.is_file() and path.stat().st_size == 4 * shape[0] * shape[1]
        found[target] = (
            RawAudio(str(path), *shape) if there else summed(prepared.stems, parts, path)
        )
    return found


def _keep_audio(task: ScoreTask, sets: Sequence[ReferenceSet]) -> None:
    """Keep the mixture, every reference and the stems as FLAC, each once."""
    prepared, rate = task.prepared, task.prepared.sample_rate
    audio = {"mixture": prepared.mixture}
    for chosen in sets:
        audio |= _targets(prepared, chosen)
    results = Results(task.results)
    folder = results.track_audio(prepared.track.fingerprint)
    own = results.stem_audio(task.labels.separation_id or "")
    wanted = [(folder / f"{safe_name(name)}.flac", raw) for name, raw in audio.items()]
    wanted += [(own / f"{safe_name(name)}.flac", raw) for name, raw in task.stems.items()]
    for path, raw in wanted:
        if not path.is_file():
            write_flac(path, raw.open(), rate)


def _headline(series: Sequence[Series], chosen: Protocol) -> dict[str, float | None]:
    metric = chosen.metrics[0].name
    found: dict[str, float | None] = {}
    for each in series:
        if each.metric == metric:
            values = each.values[np.isfinite(each.values)]
            found[each.target] = float(np.median(values)) if values.size else None
    return found
