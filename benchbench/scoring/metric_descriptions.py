"""Descriptions of metric folders, for reading their scores; no metric is run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from benchbench.errors import ManifestError
from benchbench.metrics import learn
from benchbench.metrics.base import Metric, Protocol
from benchbench.metrics.described.descriptions import NotComputable, described_protocol
from benchbench.plugins.metric_catalog import MetricCatalog, MetricPlugin

__all__ = ["describe_folders", "described", "metric_protocol"]

IN_FRAMES: Final = "mean of frame means"
WHOLE: Final = "mean over tracks"


def metric_protocol(
    plugin: MetricPlugin, evaluate: Any, content_hash: str, options: Mapping[str, Any]
) -> Protocol:
    """The protocol of a metric folder, with the function that computes it."""
    manifest = plugin.manifest
    audio = manifest.audio
    cut = {"excerpt_s": audio.excerpt_s, "excerpts": audio.excerpts} if audio.excerpt_s else {}
    return Protocol(
        manifest.name,
        manifest.version,
        tuple(
            Metric(name, one.unit, one.low, one.high, one.direction, across_kinds=one.across_kinds)
            for name, one in manifest.metrics.items()
        ),
        IN_FRAMES if audio.excerpt_s else WHOLE,
        manifest.summary,
        manifest.good_for,
        manifest.misleads,
        manifest.source,
        evaluate,
        {**options, **cut},
        content_hash,
        manifest.reference,
    )


def describe_folders(
    catalog: MetricCatalog | None = None, runs: Iterable[Mapping[str, Any]] = ()
) -> None:
    """Register the metrics of folders and those that runs describe.

    Nothing is installed or started; reading results needs only units and directions. A folder whose
    manifest is broken is left out: it is an error only for whoever names it.
    """
    catalog = catalog or MetricCatalog(working_directory=None)
    recorded = [
        described_protocol(facts) for run in runs for facts in run.get("protocols", ()) if facts
    ]
    learn(one for one in recorded if one is not None)
    for name in catalog.names():
        with contextlib.suppress(ManifestError):
            plugin = catalog.find(name)
            if plugin is not None:
                learn([described(plugin)])


def described(plugin: MetricPlugin) -> Protocol:
    """The protocol of a metric folder, for its description only."""
    manifest = plugin.manifest
    return metric_protocol(plugin, NotComputable(manifest.name), "", manifest.options)
