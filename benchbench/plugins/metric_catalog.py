"""Find metrics that are plug-in folders, by name or by path.

The places are searched in this order: folders given by the caller, the shipped ones, ``./metrics``
of the working directory. A name with a separator in it is a path to one folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchbench.errors import ManifestError
from benchbench.plugins.bundled import folder
from benchbench.plugins.catalog import Origin, plugin_folders, require_same_name
from benchbench.plugins.manifest import read_metric
from benchbench.plugins.metric_schema import MetricManifest

__all__ = ["MetricCatalog", "MetricPlugin"]

FILE = "metric.toml"


@dataclass(frozen=True)
class MetricPlugin:
    """A metric's folder and manifest."""

    folder: Path
    origin: Origin
    manifest: MetricManifest


@dataclass(frozen=True)
class MetricCatalog:
    """All metrics that are folders.

    Parameters
    ----------
    paths
        Folders searched before all others; each holds metric folders, or is one.
    working_directory
        Its ``metrics`` folder is searched last; None: not searched.
    """

    paths: tuple[Path, ...] = ()
    working_directory: Path | None = Path()

    @cached_property
    def _folders(self) -> dict[str, tuple[Path, Origin]]:
        return plugin_folders(self._places(), FILE)

    def _places(self) -> Iterator[tuple[Path, Origin]]:
        for path in self.paths:
            yield path, "given"
        shipped = folder("metrics")
        yield shipped, "shipped"
        local = self.working_directory / "metrics" if self.working_directory else None
        if local and local.is_dir() and not (shipped.is_dir() and local.samefile(shipped)):
            yield local, "working directory"

    def names(self) -> list[str]:
        """Every metric that is a folder, by name."""
        return sorted(self._folders)

    def find(self, name: str) -> MetricPlugin | None:
        """The metric of that name or in that folder; None if there is none.

        Raises
        ------
        ManifestError
            When its manifest is invalid, or a path contains none.
        """
        if "/" in name or "\\" in name:
            path = Path(name)
            if not (path / FILE).is_file():
                raise ManifestError(
                    f"{path} holds no {FILE}.",
                    hint="A metric is a folder with metric.toml and metric.py: docs/add-a-metric.md.",
                )
            found: tuple[Path, Origin] = (path, "given")
        elif name in self._folders:
            found = self._folders[name]
        else:
            return None
        manifest = read_metric(found[0] / FILE)
        require_same_name(found[0], manifest.name)
        return MetricPlugin(found[0], found[1], manifest)
