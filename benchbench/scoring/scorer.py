"""Score a model's stems on a prepared track, and store the cells.

A scorer keeps the prepared references of the current track, so that all models of a track share
what is computed from the references alone. If only one model is scored on a track, nothing is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbench.datasets.preparation import PreparedTrack, summed
from benchbench.io.audio.audio_files import write_flac
from benchbench.io.audio.raw_audio import RawAudio
from benchbench.io.names import file_name
from benchbench.metrics import Protocol, Series
from benchbench.metrics.references import CACHE_BYTES, References
from benchbench.metrics.targets import ReferenceSet, own_targets, reference_sets
from benchbench.results.store import Results
from benchbench.scoring.metric_process import take_faults
from benchbench.scoring.oddities import oddities
from benchbench.scoring.score_rows import Labels, cell_id, rows, score_set

__all__ = ["ScoreTask", "Scored", "Scorer"]


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
        The columns that all rows share.
    protocols
        The protocols to compute.
    keep_audio
        Whether to keep stems and references for listening, as 16-bit FLAC.
    """

    prepared: PreparedTrack
    stems: Mapping[str, RawAudio]
    labels: Labels
    protocols: tuple[Protocol, ...]
    keep_audio: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """Summary of a scored separation.

    `headline` is one number per target of the first protocol's first metric (named by `metric`),
    in the first reference set (the median where there are frames). `warning` lists the oddities
    of the estimates.
    """

    headline: Mapping[str, float | None]
    metric: str
    seconds: float
    warning: str | None = None


class Scorer:
    """Scores separations, one track after another.

    Parameters
    ----------
    results
        The results folder for the cells.
    stored
        Called for each file that is written there.
    threads
        Number of threads that score frames; no score depends on it.
    """

    def __init__(
        self, results: Results, stored: Callable[[Path], None] = lambda _: None, threads: int = 1
    ) -> None:
        self.results = results
        self._stored = stored
        self._threads = threads
        self._track = ""
        self._keeps = True
        self._references: dict[str, References] = {}

    def expect(self, models: int) -> None:
        """Set how many models will be scored on the next track."""
        self._keeps = models > 1

    def score(self, task: ScoreTask) -> Scored:
        """Score a separation and store its cells."""
        start = time.perf_counter()
        prepared, labels = task.prepared, task.labels
        stems = {name: raw.open() for name, raw in task.stems.items()}
        sets = (
            reference_sets(tuple(prepared.stems), tuple(stems))
            if prepared.stems
            else [own_targets(tuple(stems))]
        )
        scored = {}
        for chosen in sets:
            scored[chosen.name] = score_set(
                self._prepared(prepared, chosen), stems, chosen, task.protocols
            )
            if not self._keeps:
                self.forget()
        if task.keep_audio:
            self._keep_audio(task, sets)
        for each in task.protocols:
            cell = cell_id(labels.separation_id or "", each)
            table = rows(labels, each, {name: by[each.name] for name, by in scored.items()}, cell)
            self._stored(self.results.write_scores(cell, labels.model, labels.dataset, table))
        first = scored[sets[0].name][task.protocols[0].name]
        odd = []
        if prepared.stems:
            targets = {t: raw.open() for t, raw in _targets(prepared, sets[0]).items()}
            odd = oddities(targets, stems, sets[0])
        warning = ". ".join([*odd, *take_faults()]) or None
        protocol = task.protocols[0]
        return Scored(
            _headline(first, protocol),
            f"{protocol.name} {protocol.metrics[0].name}",
            time.perf_counter() - start,
            warning,
        )

    def forget(self) -> None:
        """Release the references, whose files are about to be deleted."""
        self._references.clear()

    def _prepared(self, prepared: PreparedTrack, chosen: ReferenceSet) -> References:
        if prepared.mixture.file != self._track:
            self._references.clear()
            self._track = prepared.mixture.file
        if chosen.name not in self._references:
            audio = {name: raw.open() for name, raw in _targets(prepared, chosen).items()}
            self._references[chosen.name] = References(
                audio,
                prepared.sample_rate,
                mixture=prepared.mixture.open(),
                threads=self._threads,
                cache_bytes=CACHE_BYTES if self._keeps else 0,
            )
        return self._references[chosen.name]

    def _keep_audio(self, task: ScoreTask, sets: Sequence[ReferenceSet]) -> None:
        """Store the mixture, every reference and the stems as FLAC, each once."""
        prepared, rate = task.prepared, task.prepared.sample_rate
        audio = {"mixture": prepared.mixture}
        for chosen in sets if prepared.stems else ():
            audio |= _targets(prepared, chosen)
        folder = self.results.track_audio(prepared.track.fingerprint)
        own = self.results.stem_audio(task.labels.separation_id or "")
        wanted = [(folder / f"{file_name(name)}.flac", raw) for name, raw in audio.items()]
        wanted += [(own / f"{file_name(name)}.flac", raw) for name, raw in task.stems.items()]
        for path, raw in wanted:
            if not path.is_file():
                write_flac(path, raw.open(), rate)
                self._stored(path)


def _targets(prepared: PreparedTrack, chosen: ReferenceSet) -> dict[str, RawAudio]:
    """The reference of each target; sums are written once per track.

    Of a track without stems it is the mixture for every target: metrics without a reference take
    the places of their excerpts from it.
    """
    if not prepared.stems:
        return dict.fromkeys(chosen.estimates, prepared.mixture)
    folder = Path(prepared.mixture.file).parent
    targets = {}
    for target, parts in chosen.references.items():
        path = folder / f"target-{'-'.join(parts)}.f32"[:200]
        shape = prepared.mixture.channels, prepared.mixture.samples
        is_stored = path.is_file() and path.stat().st_size == 4 * shape[0] * shape[1]
        targets[target] = (
            RawAudio(str(path), *shape) if is_stored else summed(prepared.stems, parts, path)
        )
    return targets


def _headline(series: Sequence[Series], chosen: Protocol) -> dict[str, float | None]:
    metric = chosen.metrics[0].name
    found: dict[str, float | None] = {}
    for each in series:
        if each.metric == metric:
            values = each.values[np.isfinite(each.values)]
            found[each.target] = float(np.median(values)) if values.size else None
    return found
