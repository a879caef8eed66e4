"""How far separators agree on songs without references, from the stems that a run kept.

A separator's number depends on the other separators of the run, so the hash of its cell covers them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from benchbench.datasets.dataset import Dataset, Track
from benchbench.io.audio.audio_files import Audio, read
from benchbench.io.hashing import short_hash
from benchbench.io.names import file_name
from benchbench.metrics.base import Protocol
from benchbench.metrics.described.reference_free import agreement_series
from benchbench.metrics.names import REFERENCE_FREE
from benchbench.metrics.targets import own_targets
from benchbench.results.store import Results
from benchbench.scoring.score_rows import Labels, cell_id, rows
from benchbench.separation.model_setup import identity
from benchbench.separation.separator import ModelSetup

__all__ = ["store_agreement"]

BASELINES: Final = ("mixture", "silence")
"""Adapters that separate nothing: no agreement is measured against them."""

Stems = Mapping[str, Audio]


def store_agreement(
    results: Results, run_id: str, data_set: Dataset, setups: Mapping[str, ModelSetup]
) -> None:
    """Store the agreement of every model with the other separators, on every track.

    It is the SI-SDR of a stem against the mean of the other separators' estimates of that stem.

    Parameters
    ----------
    results
        The results folder; models whose stems it does not hold are left out.
    run_id
        The run that the rows belong to.
    data_set
        The songs.
    setups
        The models of the run.
    """
    stored: set[str] = set()
    for model in setups:
        stored |= results.stored_cells(model, data_set.manifest.name)
    for track in data_set.tracks:
        files = _kept_files(results, track, setups)
        planned = {model: _protocol(files, model) for model in files}
        if all(cell_id(files[model][0], planned[model]) in stored for model in files):
            continue
        stems = {model: _read(paths) for model, (_, paths) in files.items()}
        for model, protocol in planned.items():
            separation = files[model][0]
            cell = cell_id(separation, protocol)
            series = agreement_series(stems[model], _others(stems, model))
            if series and cell not in stored:
                labels = Labels(separation, run_id, model, track.dataset, track.name)
                scored = {own_targets(tuple(stems[model])).name: series}
                results.write_scores(
                    cell, model, track.dataset, rows(labels, protocol, scored, cell)
                )


Files = tuple[str, dict[str, Path]]
"""A separation's name, and the file of each of its stems."""


def _kept_files(
    results: Results, track: Track, setups: Mapping[str, ModelSetup]
) -> dict[str, Files]:
    """The stems of a track that are kept, by model."""
    kept: dict[str, Files] = {}
    for model, setup in setups.items():
        separation = identity(setup).separation_id(track)
        folder = results.stem_audio(separation)
        paths = {stem: folder / f"{file_name(stem)}.flac" for stem in setup.model.variant.stems}
        if all(path.is_file() for path in paths.values()):
            kept[model] = separation, paths
    return kept


def _protocol(files: Mapping[str, Files], model: str) -> Protocol:
    """The protocol, with a hash of the separations that a model is compared with."""
    others = sorted(files[other][0] for other in files if _is_rival(other, model))
    return replace(REFERENCE_FREE, content_hash=short_hash(*others))


def _is_rival(other: str, model: str) -> bool:
    return other != model and other.partition(":")[0] not in BASELINES


def _read(paths: Mapping[str, Path]) -> Stems:
    return {stem: read(path)[0] for stem, path in paths.items()}


def _others(stems: Mapping[str, Stems], model: str) -> Stems:
    """The mean of the other separators' estimates of each of a model's stems."""
    rivals = [estimates for other, estimates in stems.items() if _is_rival(other, model)]
    return {
        stem: np.mean([each[stem] for each in rivals if stem in each], axis=0, dtype=np.float32)
        for stem in stems[model]
        if any(stem in each for each in rivals)
    }
