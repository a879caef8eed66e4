"""Recompute a sample of stored scores with reference programs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from benchbench.datasets.dataset import open_dataset
from benchbench.datasets.preparation import PreparedTrack, prepare
from benchbench.errors import BenchbenchError, NothingToCompareError
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.io.processes.scratch import scratch_folder
from benchbench.metrics.base import Series
from benchbench.metrics.targets import ReferenceSet, reference_sets
from benchbench.plugins.catalog import Catalog
from benchbench.results.store import Results, open_results
from benchbench.running.events import Listener, Note, callbacks
from benchbench.running.machine import processors
from benchbench.scoring.metric_folders import metric_setup
from benchbench.scoring.pitch_peer import NAME as PITCH
from benchbench.scoring.pitch_peer import pitch_plugin
from benchbench.scoring.reference_programs import PEERS
from benchbench.scoring.score_rows import add
from benchbench.scoring.verification import Case, Difference, verify_scores
from benchbench.separation.model_setup import identity, prepare_models
from benchbench.separation.opening import open_separator
from benchbench.separation.separator import Limits, SeparationResult

__all__ = ["verify"]

Row = Mapping[str, Any]


def verify(
    results: Path | str = "results",
    *,
    sample: int = 5,
    seed: int = 0,
    root: AnyPath | None = None,
    adapter_paths: Sequence[AnyPath] = (),
    listener: Listener = lambda _: None,
) -> list[Difference]:
    """Separate a sample of stored tracks again and score the stems with reference programs.

    museval, mir_eval and fast_bss_eval are called as they are installed; if none of them computes
    a protocol, its closed form is evaluated. Stems that cannot be reproduced (an adapter that
    changed since, a model that is not deterministic) are left out and reported.

    Parameters
    ----------
    results
        The results folder.
    sample
        Number of separations to check.
    seed
        Seed of the random sample.
    root
        The data set's folder, if it is not installed.
    adapter_paths
        Folders that are searched for adapters first.
    listener
        Called with each event, such as a note on a separation that is left out.

    Returns
    -------
    The largest differences by protocol and metric, failures first. A reference program that refuses
    the stems or crashes gives a row with the reason as its ``problem``; the rest is checked.

    Raises
    ------
    NothingToCompareError
        When no separation of the sample could be reproduced.

    Examples
    --------
    >>> import benchbench
    >>> differences = benchbench.verify("results", sample=1, root="songs")
    >>> max(each.largest for each in differences) < 1e-6
    True
    """
    stored = open_results(Path(results))
    separations = [row for row in stored.separations().to_pylist() if row["status"] == "ok"]
    # The sample needs no cryptographic randomness: the seed makes it repeatable.
    order = random.Random(seed).sample(separations, len(separations))  # noqa: S311
    maker = _Maker(Catalog(paths_of(adapter_paths), None), path_of(root), listener, stored)
    found: list[Difference] = []
    checked = 0
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_folder())
        for row in order:
            if checked == sample:
                break
            made = maker.again(row, scratch)
            if made is None:
                continue
            prepared, outcome = made
            chosen = pc.field("separation_id") == row["separation_id"]
            rows = stored.scores(where=chosen & pc.field("protocol").isin(list(PEERS))).to_pylist()
            listener(Note(f"Checking {row['model']} on {row['track']}"))
            found += verify_scores(_cases(_current(rows, listener), prepared, outcome))
            checked += 1
    problems = [line for line in found if not line.judged]
    if found and len(problems) == len(found):
        raise NothingToCompareError(
            f"No reference program could score the stems in {results}: {problems[0].protocol}: "
            f"{problems[0].problem}.",
            hint="Install the missing program, or verify scores of usdr and si, which need none.",
        )
    if not checked or not found:
        raise NothingToCompareError(
            f"Nothing in {results} could be verified.",
            hint="Run the benchmark again with the current adapters, with --metrics usdr,bsseval-v4,si.",
        )
    return sorted(found, key=lambda line: line.urgency)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Reproduces stored separations."""

    catalog: Catalog
    root: Path | None
    listener: Listener
    stored: Results

    def again(self, row: Row, scratch: Path) -> tuple[PreparedTrack, SeparationResult] | None:
        """The track and its stems, or None if they may differ from the scored ones."""
        try:
            return self._made(row, scratch)
        except BenchbenchError as error:
            self._pass_over(row, error.message)
            return None

    def _made(self, row: Row, scratch: Path) -> tuple[PreparedTrack, SeparationResult] | None:
        model = self.catalog.model(row["model"])
        if not model.manifest.deterministic:
            self._pass_over(row, "the model is not deterministic")
            return None
        setups = prepare_models([model], None, "auto", {}, processors(), *callbacks(self.listener))
        data_set = open_dataset(
            self.catalog.dataset(row["dataset"]), self.root, names=[row["track"]]
        )
        track = data_set.tracks[0]
        if identity(setups[model.name]).separation_id(track) != row["separation_id"]:
            self._pass_over(row, "its adapter, weights, options or audio changed since")
            return None
        folder = scratch / row["separation_id"]
        prepared = prepare(track, folder)
        references = prepared.stems if model.manifest.oracle else None
        with open_separator(
            setups[model.name], Limits(), folder / "log.txt", self.stored
        ) as separator:
            outcome = separator.separate(
                prepared.mixture, prepared.sample_rate, folder, references, track=track
            )
        if outcome.status != "ok":
            self._pass_over(row, outcome.error or outcome.status)
            return None
        return prepared, outcome

    def _pass_over(self, row: Row, why: str) -> None:
        self.listener(Note(f"Skipped {row['model']} on {row['track']}: {why}"))


def _current(rows: Sequence[Row], listener: Listener) -> list[Row]:
    """The rows without those of another version of the metric folder `pitch`."""
    if not any(row["protocol"] == PITCH for row in rows):
        return list(rows)
    today = metric_setup(pitch_plugin(), {}, prepare=False).content_hash
    kept = [row for row in rows if row["protocol"] != PITCH or row["metric_hash"] == today]
    if len(kept) < len(rows):
        listener(Note(f"Passed over scores of {PITCH}: the metric's folder changed since"))
    return kept


def _cases(
    rows: Sequence[Row], prepared: PreparedTrack, outcome: SeparationResult
) -> Iterator[Case]:
    """One case per protocol and reference set of a separation."""
    for chosen in reference_sets(tuple(prepared.stems), tuple(outcome.stems)):
        for protocol in sorted({row["protocol"] for row in rows}):
            own = [
                r for r in rows if (r["protocol"], r["reference_set"]) == (protocol, chosen.name)
            ]
            if own and set(chosen.estimates) == set(chosen.references):
                name = f"{own[0]['model']}, {own[0]['track']}, {chosen.name}"
                audio = _Audio(prepared, outcome, chosen)
                yield Case(name, protocol, _series(own), audio.read)


@dataclass(frozen=True, slots=True)
class _Audio:
    prepared: PreparedTrack
    outcome: SeparationResult
    chosen: ReferenceSet

    def read(self) -> tuple[dict[str, Any], dict[str, Any], int]:
        """References, estimates and sampling rate."""
        true = {name: np.asarray(raw.open()) for name, raw in self.prepared.stems.items()}
        stems = {name: np.asarray(raw.open()) for name, raw in self.outcome.stems.items()}
        chosen = self.chosen
        references = {t: add([true[p] for p in parts]) for t, parts in chosen.references.items()}
        estimates = {t: add([stems[p] for p in parts]) for t, parts in chosen.estimates.items()}
        return references, estimates, self.prepared.sample_rate


def _series(rows: Sequence[Row]) -> list[Series]:
    """Stored rows as series, with frames in order."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        grouped.setdefault((row["target"], row["metric"]), []).append(row)
    series = []
    for (target, metric), own in grouped.items():
        own.sort(key=lambda row: row["start_s"] or 0.0)
        values = np.array([np.nan if r["value"] is None else r["value"] for r in own], np.float64)
        reasons = np.array([r["reason"] for r in own], object)
        series.append(Series(target, metric, values, reasons))
    return series
