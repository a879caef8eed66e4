"""Find metrics that are plug-in folders, by name or by path (`benchbench.plugins.places`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchbench.errors import ManifestError
from benchbench.plugins.manifest import read_metric
from benchbench.plugins.metric_schema import MetricManifest
from benchbench.plugins.places import Place, Places, require_same_name

__all__ = ["MetricCatalog", "MetricPlugin"]


@dataclass(frozen=True)
class MetricPlugin:
    """A metric's place and manifest."""

    place: Place
    manifest: MetricManifest

    @property
    def folder(self) -> Path:
        """The metric's folder."""
        return self.place.folder


@dataclass(frozen=True)
class MetricCatalog:
    """All metrics that are folders.

    Parameters
    ----------
    paths
        Folders searched before all others; each holds metric folders, or is one.
    working_directory
        As for `benchbench.plugins.places.Places`.
    """

    paths: tuple[Path, ...] = ()
    working_directory: Path | None = Path()

    @cached_property
    def _metrics(self) -> Places:
        return Places("metrics", self.paths, self.working_directory)

    def names(self) -> list[str]:
        """Every metric that is a folder, by name."""
        return self._metrics.names()

    def has(self, name: str) -> bool:
        """Whether a metric folder of that name, or that path, exists."""
        return self._metrics.find(name) is not None

    def find(self, name: str) -> MetricPlugin | None:
        """The metric of that name or in that folder; None if there is none.

        Raises
        ------
        ManifestError
            When its manifest is invalid, or a path contains none.
        """
        place = self._metrics.find(name)
        if place is None:
            if "/" not in name and "\\" not in name:
                return None
            raise ManifestError(
                f"{name} holds no {self._metrics.file}.",
                hint="A metric is a folder with metric.toml and metric.py: docs/add-a-metric.md.",
            )
        manifest = read_metric(place.folder / self._metrics.file)
        require_same_name(place.folder, manifest.name)
        return MetricPlugin(place, manifest)
