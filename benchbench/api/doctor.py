"""Check the installation, a model, a data set or a results folder, and report problems."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from benchbench.datasets.dataset import Dataset, open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.datasets.stem_files import find_tracks
from benchbench.errors import DISTRIBUTION, BenchbenchError, UnknownNameError
from benchbench.io.audio.audio_files import Audio, read
from benchbench.io.audio.decoding import info
from benchbench.io.cache import cache_folder
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.io.processes.scratch import scratch_folder
from benchbench.metrics.pairing.stem_names import canonical, name_key
from benchbench.plugins.catalog import Adapter, Catalog, DatasetPlugin, Model
from benchbench.plugins.metric_catalog import MetricCatalog, MetricPlugin
from benchbench.results.integrity import damaged_parts, damaged_runs, leftovers
from benchbench.results.store import Results
from benchbench.running.events import Listener, Note, callbacks
from benchbench.running.machine import machine, processors
from benchbench.scoring.metric_conformance import check_metric
from benchbench.scoring.metric_folders import metric_setup
from benchbench.separation.conformance import Check, check_adapter
from benchbench.separation.model_setup import prepare_models
from benchbench.separation.precomputed import stems_folder
from benchbench.separation.readiness import readiness
from benchbench.separation.separator import ModelSetup

__all__ = ["doctor"]

EXAMPLE_RATE: Final = 44100
METRIC_EXAMPLE_S: Final = 12.0
"""Length of the music that metrics are checked with: several embeddings of three seconds."""


def doctor(
    name: str | None = None,
    *,
    repair: bool = False,
    root: AnyPath | None = None,
    adapter_paths: Sequence[AnyPath] = (),
    metric_paths: Sequence[AnyPath] = (),
    listener: Listener = lambda _: None,
) -> Iterator[Check]:
    """Check the installation, a model, a metric, a data set or results.

    Parameters
    ----------
    name
        None: check the installation. A model, or a metric folder (by name or path): check its
        contract on audio probes. A data set: check every track. A results folder: check its parts.
    repair
        Move damaged parts of results away, so that the next run computes them again.
    root
        A data set's folder.
    adapter_paths, metric_paths
        Folders that are searched for adapters and for metrics first.
    listener
        Called with every event.

    Yields
    ------
    One check after another.

    Raises
    ------
    UnknownNameError
        When `name` is none of these.

    Examples
    --------
    >>> import benchbench
    >>> [(check.name, check.ok) for check in benchbench.doctor("results")]
    [('results', True)]
    """
    catalog = Catalog(paths_of(adapter_paths))
    if name is None:
        yield from _check_installation(catalog)
    elif catalog.has_adapter(name):
        yield from _check_model(catalog, catalog.model(name), listener)
    elif catalog.has_dataset(name):
        yield from _check_dataset(catalog, name, path_of(root))
    elif (metric := _metric(name, paths_of(metric_paths))) is not None:
        yield from _check_metric(catalog, metric, listener)
    elif Path(name).is_dir():
        yield from _check_results(Results(Path(name)), repair)
    else:
        metrics = MetricCatalog(paths_of(metric_paths)).names()
        known = [*catalog.adapter_names(), *catalog.dataset_names(), *metrics]
        raise UnknownNameError("model, data set, metric or folder", name, known)


def _check_installation(catalog: Catalog) -> Iterator[Check]:
    facts = machine()
    yield Check(
        "machine",
        True,
        f"{facts['cpu']}, {processors()} processors, {facts['memory_bytes'] / 1e9:.0f} GB memory, "
        f"{', '.join(facts['gpu']) or 'no GPU'}",
    )
    yield _check_name()
    folder = cache_folder()
    free = shutil.disk_usage(folder).free
    yield Check("cache", free > 1e9, f"{folder}, {free / 1e9:.0f} GB free")
    for kind, names, read_manifest in (
        ("model", catalog.adapter_names(), catalog.adapter),
        ("data set", catalog.dataset_names(), catalog.dataset),
    ):
        for each in names:
            try:
                plugin = read_manifest(each)
                yield Check(f"{kind} {each}", True, _to_install(catalog, plugin))
            except BenchbenchError as error:
                yield Check(f"{kind} {each}", False, str(error))


def _to_install(catalog: Catalog, plugin: Adapter | DatasetPlugin) -> str:
    """What the default variant of an adapter still needs; empty for nothing."""
    if isinstance(plugin, DatasetPlugin):
        return ""
    missing = readiness(catalog.model(plugin.manifest.name)).missing
    return missing and f"the manifest is valid; {missing}"


def _check_model(catalog: Catalog, model: Model, listener: Listener) -> Iterator[Check]:
    setup = prepare_models([model], None, "auto", {}, processors(), *callbacks(listener))[
        model.name
    ]
    if model.manifest.kind == "folder":
        yield from _check_folder(setup)
        return
    with scratch_folder() as scratch:
        yield from check_adapter(setup, scratch, _example(catalog))


def _check_name() -> Check:
    """Whether the other project that imports as ``benchbench`` shares this environment."""
    try:
        other = importlib.metadata.version("benchbench")
    except importlib.metadata.PackageNotFoundError:
        return Check("package", True, f"{DISTRIBUTION} {importlib.metadata.version(DISTRIBUTION)}")
    return Check(
        "package",
        False,
        f"the package benchbench {other} is installed too. It is another project with the same "
        f"import name, and either may have replaced files of the other. Run: "
        f"pip uninstall benchbench, then pip install --force-reinstall --no-deps {DISTRIBUTION}",
    )


def _metric(name: str, paths: Sequence[Path]) -> MetricPlugin | None:
    """The metric folder of that name or path."""
    folder = Path(name)
    catalog = MetricCatalog(tuple(paths))
    if (folder / "metric.toml").is_file():
        return catalog.find(str(folder.absolute()))
    return catalog.find(name) if name in catalog.names() else None


def _check_metric(catalog: Catalog, metric: MetricPlugin, listener: Listener) -> Iterator[Check]:
    setup = metric_setup(metric, {}, lambda text: listener(Note(text)))
    yield from check_metric(setup, _example(catalog, METRIC_EXAMPLE_S))


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


def _check_dataset(catalog: Catalog, name: str, root: Path | None) -> Iterator[Check]:
    data_set = open_dataset(
        catalog.dataset(name), root, split="all" if _has_splits(catalog, name) else None
    )
    manifest = data_set.manifest
    seconds, rates = 0.0, set[int]()
    found: Counter[str] = Counter()
    for track in data_set.tracks:
        missing = [stem for stem in manifest.stems if stem not in track.stems]
        with scratch_folder() as scratch:
            try:
                prepared = prepare(track, scratch)
            except BenchbenchError as error:
                found["unreadable"] += 1
                yield Check(track.name, False, str(error))
                continue
        seconds, rates = seconds + prepared.seconds, rates | {prepared.sample_rate}
        detail = f"{prepared.seconds:.1f} s, {prepared.sample_rate} Hz"
        flags = [*prepared.flags, *(f"missing:{stem}" for stem in missing)]
        found.update({flag.partition(":")[0] for flag in flags})
        lost = any(flag.startswith("missing_file:") for flag in flags)
        fine = not lost and (manifest.partial or not missing)
        yield Check(track.name, fine, detail + (f", {' '.join(flags)}" if flags else ""))
    yield from _check_counts(data_set)
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items())) or "none"
    yield Check(
        "summary",
        not found["unreadable"],
        f"{len(data_set.tracks)} tracks, {seconds / 3600:.2f} h, "
        f"{', '.join(f'{rate} Hz' for rate in sorted(rates)) or 'no rate'}; tracks by flag: {kinds}",
    )


def _check_counts(data_set: Dataset) -> Iterator[Check]:
    """Whether each split has as many tracks as a complete copy."""
    counts = Counter(track.split for track in data_set.tracks)
    for split, expected in data_set.manifest.tracks.items():
        name = f"tracks of {split}" if split else "tracks"
        yield Check(name, counts[split] == expected, f"{counts[split]} of {expected}")


def _has_splits(catalog: Catalog, name: str) -> bool:
    return bool(catalog.dataset(name).manifest.splits)


def _check_results(results: Results, repair: bool) -> Iterator[Check]:
    root, bad = results.root, 0
    faults = (damaged_parts(root, "scores"), damaged_parts(root, "separations"), damaged_runs(root))
    for path, why in chain(*faults):
        bad += 1
        if repair:
            aside = root / "damaged" / path.relative_to(root)
            aside.parent.mkdir(parents=True, exist_ok=True)
            path.replace(aside)
            yield Check(str(path), True, f"{why}; set aside as {aside}")
        else:
            yield Check(str(path), False, f"{why}; --repair sets it aside")
    left = list(leftovers(root))
    if left and repair:
        for path in left:
            path.unlink(missing_ok=True)
    if left:
        done = "removed" if repair else "harmless; --repair removes them when no run is active"
        yield Check("unfinished files", True, f"{len(left)} left by killed processes,  {done}")
    if not bad:
        count = results.scores(columns=["cell_id"]).num_rows
        yield Check(str(root), True, f"{count} score rows, no damaged part")
