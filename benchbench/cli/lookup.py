"""Find what a name stands for: a model, a data set, a protocol or a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchbench.errors import UnknownNameError
from benchbench.metrics import PROTOCOLS, Protocol
from benchbench.metrics import protocol as protocol_named
from benchbench.metrics.names import is_metric, known_protocols, unknown_metric
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest_schema import DatasetManifest
from benchbench.plugins.metric_catalog import MetricCatalog
from benchbench.scoring.metric_descriptions import described
from benchbench.separation.readiness import readiness

__all__ = ["facts_of", "named", "protocol_facts", "protocol_of", "stored_runs"]


def named(
    name: str, results: Path, adapter_paths: Sequence[Path]
) -> Model | DatasetManifest | Protocol | dict[str, Any]:
    """The model, data set, protocol or run record of a name.

    Raises
    ------
    UnknownNameError
        When the name is unknown.
    """
    catalog = Catalog(tuple(adapter_paths))
    if catalog.has_adapter(name):
        return catalog.model(name)
    if catalog.has_dataset(name):
        return catalog.dataset(name).manifest
    if MetricCatalog().has(name) or name in known_protocols():
        return protocol_of(name)
    runs = {run["run_id"]: run for run in stored_runs(results)}
    if name in runs:
        return runs[name]
    metrics = dict.fromkeys([*known_protocols(), *MetricCatalog().names()])
    if is_metric(name):
        raise unknown_metric(name)
    known = [*catalog.adapter_names(), *catalog.dataset_names(), *metrics, *runs]
    raise UnknownNameError("name", name, known)


def facts_of(
    name: str, results: Path = Path("results"), adapter_paths: Sequence[Path] = ()
) -> dict[str, Any]:
    """What a name stands for, as plain values: manifest, fields of the protocol, or run record.

    Raises
    ------
    UnknownNameError
        When the name is unknown.
    """
    match named(name, results, adapter_paths):
        case Model() as model:
            return {
                "kind": "model",
                "model": model.name,
                "ready": readiness(model).ready,
                "manifest": msgspec.to_builtins(model.manifest),
            }
        case DatasetManifest() as manifest:
            return {"kind": "dataset", "manifest": msgspec.to_builtins(manifest)}
        case Protocol() as protocol:
            return {"kind": "protocol", **protocol_facts(protocol), **_definition(protocol)}
        case run:
            return {**run, "kind": "run"}


def protocol_facts(protocol: Protocol) -> dict[str, Any]:
    """A protocol as plain values."""
    return {
        "protocol": protocol.name,
        "version": protocol.version,
        "metrics": [metric.name for metric in protocol.metrics],
        "aggregation": protocol.aggregation,
        "summary": protocol.summary,
    }


def _definition(protocol: Protocol) -> dict[str, Any]:
    """What a list of protocols leaves out; an infinite end of a range is None."""
    return {
        "metrics": [
            {
                "metric": metric.name,
                "unit": metric.unit,
                "low": metric.low if math.isfinite(metric.low) else None,
                "high": metric.high if math.isfinite(metric.high) else None,
                "direction": metric.direction,
            }
            for metric in protocol.metrics
        ],
        "good_for": protocol.good_for,
        "misleads": protocol.misleads,
        "options": dict(protocol.options),
        "source": protocol.source,
    }


def protocol_of(name: str) -> Protocol:
    """A protocol by name, including those of metric folders, which may be named by path.

    Raises
    ------
    UnknownNameError, ManifestError
    """
    plugin = None if name in PROTOCOLS else MetricCatalog().find(name)
    return protocol_named(name) if plugin is None else described(plugin)


def stored_runs(results: Path) -> list[dict[str, Any]]:
    """The facts of every run in a results folder."""
    from benchbench.io.remote import local_folder
    from benchbench.results.store import Results

    return Results(local_folder(results)).runs()
