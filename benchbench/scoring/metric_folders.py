"""Metric folders as protocols."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchbench.errors import UnknownNameError
from benchbench.io.hashing import digest, short_hash
from benchbench.metrics import learn, resolve
from benchbench.metrics.base import Estimates, Protocol, Series
from benchbench.metrics.evaluation import Evaluation
from benchbench.metrics.names import GROUPS, PROTOCOLS
from benchbench.metrics.references import References
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.plugins.metric_catalog import MetricCatalog, MetricPlugin
from benchbench.scoring.excerpts import Excerpt, active_excerpts
from benchbench.scoring.metric_descriptions import describe_folders, metric_protocol
from benchbench.scoring.metric_process import Measured, MetricSetup, measured
from benchbench.separation.environments import interpreter
from benchbench.separation.weights import ensure_metric_weights

__all__ = ["FolderMetric", "metric_setup", "resolve_metrics"]

Tell = Callable[[str], None]


@dataclass(frozen=True)
class FolderMetric:
    """The `evaluate` of a metric folder; can be pickled."""

    setup: MetricSetup

    def __call__(self, references: Any, estimates: Estimates) -> list[Series]:
        """Score every target that the metric supports."""
        evaluation = (
            estimates
            if isinstance(estimates, Evaluation) and estimates.references is references
            else Evaluation(references, estimates)
        )
        wanted = self.setup.plugin.manifest.targets
        found = []
        for target in evaluation.references.names:
            if not wanted or target in wanted:
                found += self._target(evaluation, target)
        return found

    def _target(self, evaluation: Evaluation, target: str) -> list[Series]:
        audio = self.setup.plugin.manifest.audio
        references = evaluation.references
        if target in evaluation.missing:
            return self._series(target, [(None, Measured({}, "missing_estimate"))], references)
        excerpts = active_excerpts(references, target, audio.excerpt_s, audio.excerpts)
        if not excerpts:
            return self._series(target, [(None, Measured({}, "silent_reference"))], references)
        return self._series(
            target, [(one, self._measure(evaluation, target, one)) for one in excerpts], references
        )

    def _measure(self, evaluation: Evaluation, target: str, excerpt: Excerpt) -> Measured:
        place, row = evaluation.targets.index(target), evaluation.references.names.index(target)
        estimate = evaluation.estimates.stem(place, excerpt.start, excerpt.stop)
        reference = (
            evaluation.references.stem(row, excerpt.start, excerpt.stop)
            if self.setup.plugin.manifest.reference
            else None
        )
        found = measured(self.setup, reference, estimate, evaluation.references.sample_rate)
        if found.reason in (None, "metric_undefined") and not estimate.any():
            return Measured(found.values, "silent_estimate")
        return Measured(found.values, found.reason or evaluation.length_reason(target))

    def _series(
        self,
        target: str,
        parts: Sequence[tuple[Excerpt | None, Measured]],
        references: References,
    ) -> list[Series]:
        rate = references.sample_rate
        where = [excerpt for excerpt, _ in parts if excerpt is not None]
        framed = bool(self.setup.plugin.manifest.audio.excerpt_s) and len(where) == len(parts)
        starts = np.array([one.start / rate for one in where]) if framed else None
        lengths = np.array([(one.stop - one.start) / rate for one in where]) if framed else None
        series = []
        for name in self.setup.plugin.manifest.metrics:
            values = [_number(found.values.get(name)) for _, found in parts]
            reasons = np.array([found.reason for _, found in parts], dtype=object)
            series.append(Series(target, name, np.array(values), reasons, starts, lengths))
        return series


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def resolve_metrics(
    names: str | Sequence[str],
    catalog: MetricCatalog | None = None,
    options: Mapping[str, Mapping[str, AnyValue]] | None = None,
    tell: Tell = lambda _: None,
    *,
    prepare: bool = True,
) -> tuple[Protocol, ...]:
    """The protocols that names refer to: the package's own, groups, folders by name or path.

    Parameters
    ----------
    names
        Names, also joined by commas.
    catalog
        The catalogue in which metric folders are searched.
    options
        The user's options, by name of the metric folder.
    tell
        Called with a message for each thing that is installed or fetched.
    prepare
        Whether to build environments and fetch weights, which scoring needs.

    Raises
    ------
    UnknownNameError, ManifestError
    """
    catalog = catalog or MetricCatalog()
    describe_folders(catalog)
    parts = [names] if isinstance(names, str) else names
    found: dict[str, Protocol] = {}
    for name in [word.strip() for one in parts for word in one.split(",") if word.strip()]:
        plugin = None if name in GROUPS or name in PROTOCOLS else catalog.find(name)
        if plugin is None:
            found.update({one.name: one for one in resolve(name)})
            continue
        protocol = folder_protocol(
            metric_setup(
                plugin, (options or {}).get(plugin.manifest.name, {}), tell, prepare=prepare
            )
        )
        learn([protocol])
        found[protocol.name] = protocol
    for name in options or {}:
        if name not in found:
            raise UnknownNameError("metric", name, found, where=" of --metric-option")
    return tuple(found.values())


def metric_setup(
    plugin: MetricPlugin,
    options: Mapping[str, AnyValue],
    tell: Tell = lambda _: None,
    *,
    prepare: bool = True,
) -> MetricSetup:
    """A metric; with `prepare`, its environment is built and its weights are fetched."""
    manifest = plugin.manifest
    for key in options:
        if key not in manifest.options:
            raise UnknownNameError("option", key, manifest.options, where=f" of {manifest.name}")
    if note := plugin.place.note(manifest.name):
        tell(note)
    chosen = {**manifest.options, **options}
    content = _content_hash(plugin, chosen)
    if not prepare:
        return MetricSetup(plugin, Path(sys.executable), None, chosen, content)
    python = interpreter(manifest.runtime, tell=tell).python
    weights = ensure_metric_weights(manifest.name, manifest.weights, plugin.folder, tell=tell)
    return MetricSetup(plugin, python, weights, chosen, content)


def _content_hash(plugin: MetricPlugin, options: Mapping[str, AnyValue]) -> str:
    """Hash of all files of its folder and its code, the options, and the files that they name."""
    total = hashlib.sha256()
    code = (plugin.folder / plugin.manifest.module).resolve().parent
    for folder in dict.fromkeys((plugin.folder.resolve(), code)):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(f"{path.relative_to(folder).as_posix()} {digest(path)}\n".encode())
    named = [Path(value) for value in options.values() if isinstance(value, str) and value]
    files = [digest(path) for path in named if path.is_file()]
    return short_hash(total.hexdigest(), sorted(options.items()), files)


def folder_protocol(setup: MetricSetup) -> Protocol:
    """The protocol of a metric folder."""
    return metric_protocol(setup.plugin, FolderMetric(setup), setup.content_hash, setup.options)
