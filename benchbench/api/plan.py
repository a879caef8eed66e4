"""Plan a run: separations, time, downloads; nothing is separated or downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.datasets.dataset import installed_folder, open_dataset
from benchbench.datasets.tracks import Track
from benchbench.errors import BenchbenchError
from benchbench.io.audio.decoding import info
from benchbench.io.remote import local_folder
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.plugins.model_names import listed
from benchbench.results.store import Results
from benchbench.running.machine import processors
from benchbench.running.plan import plan
from benchbench.running.scorable import require_common_stems, scorable
from benchbench.scoring.metric_folders import resolve_metrics
from benchbench.separation.model_setup import identity, prepare_models, with_options
from benchbench.separation.readiness import readiness
from benchbench.stats.costs import real_time_factors

__all__ = ["ModelPlan", "RunPlan", "plan_run"]


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """The planned work of one model.

    Parameters
    ----------
    model
        ``adapter:variant``.
    separations
        Number of missing separations; None if the data set is not installed.
    seconds
        Estimated time, from the model's speed in the results folder; None if never timed there.
    download_mb
        Declared size of the downloads; 0: no download; None: a download of unknown size.
    """

    model: str
    separations: int | None
    seconds: float | None
    download_mb: float | None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The planned work of a run.

    Parameters
    ----------
    dataset
        The data set's name.
    tracks, audio_s
        Number of tracks, and their total length in seconds; None if the data set is not installed,
        or a file does not state its length.
    stored
        Number of score cells that are already stored.
    models
        One entry per model, in the order given.
    """

    dataset: str
    tracks: int | None
    audio_s: float | None
    stored: int
    models: tuple[ModelPlan, ...]


def plan_run(
    models: str | Sequence[str],
    dataset: str = "demo",
    *,
    metrics: str | Sequence[str] = "report",
    out: Path | str = "results",
    root: Path | None = None,
    split: str | None = None,
    tracks: str | Sequence[str] | None = None,
    limit: int | None = None,
    options: Mapping[str, AnyValue] | None = None,
    adapter_paths: Sequence[Path] = (),
) -> RunPlan:
    """Determine what `benchbench.run` would do with the same arguments.

    Parameters
    ----------
    models, dataset, metrics, out, root, split, tracks, limit, options, adapter_paths
        As for `benchbench.run`.

    Raises
    ------
    benchbench.errors.BenchbenchError
        When `benchbench.run` would reject the request at its start.
    """
    catalog = Catalog(tuple(Path(path) for path in adapter_paths))
    chosen = with_options(catalog.models(listed(models)), options or {})
    protocols = resolve_metrics(metrics, prepare=False)
    plugin = catalog.dataset(dataset)
    if plugin.manifest.layout == "generated" and not installed_folder(plugin).is_dir():
        return RunPlan(
            dataset,
            None,
            None,
            0,
            tuple(ModelPlan(m.name, None, None, _download(m)) for m in chosen),
        )
    names = None if tracks is None else listed(tracks)
    data_set = open_dataset(plugin, root, split=split, names=names, limit=limit)
    protocols = scorable(protocols, data_set, chosen, lambda _: None)
    require_common_stems(protocols, data_set, chosen, lambda _: None)
    found = data_set.tracks
    results = Results(local_folder(out))
    ready = [model for model in chosen if readiness(model).ready]
    setups = prepare_models(ready, None, "auto", {}, processors(), lambda _: None)
    planned = plan(results, [identity(setup) for setup in setups.values()], found, protocols)
    left, stored = planned.counts()
    seconds = _seconds(found)
    timed = real_time_factors(results.separations_frame())
    factors = {str(name): float(factor) for name, factor in timed.items()}
    return RunPlan(
        dataset,
        len(found),
        seconds,
        stored,
        tuple(
            _of_model(model, left.get(model.name, len(found)), len(found), seconds, factors)
            for model in chosen
        ),
    )


def _of_model(
    model: Model, left: int, tracks: int, seconds: float | None, factors: Mapping[str, float]
) -> ModelPlan:
    factor = factors.get(model.name)
    known = factor is not None and seconds is not None and tracks
    time = factor * seconds * left / tracks if known else None  # type: ignore[operator]
    return ModelPlan(model.name, left, 0.0 if left == 0 else time, _download(model))


def _download(model: Model) -> float | None:
    needs = readiness(model)
    return 0.0 if needs.ready else needs.declared_mb


def _seconds(tracks: Sequence[Track]) -> float | None:
    """The total length of all tracks, from the header of one file per track."""
    total = 0.0
    for track in tracks:
        source = track.mixture or next(iter(track.stems.values()), None)
        try:
            facts = info(source.path, source.stream) if source else None
        except BenchbenchError:
            return None
        if facts is None or facts.samples is None:
            return None
        total += facts.samples / facts.sample_rate
    return total
