"""Check the installation, a model, a data set or a results folder, and report problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchbench.api.checks.dataset import check_dataset
from benchbench.api.checks.installation import check_installation
from benchbench.api.checks.plugins import check_metric, check_model
from benchbench.api.checks.results import check_results
from benchbench.errors import UnknownNameError
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.metric_catalog import MetricCatalog, MetricPlugin
from benchbench.results.store import Results
from benchbench.running.events import Listener
from benchbench.separation.conformance import Check

__all__ = ["doctor"]


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
        yield from check_installation(catalog)
    elif catalog.has_adapter(name):
        yield from check_model(catalog, catalog.model(name), listener)
    elif catalog.has_dataset(name):
        yield from check_dataset(catalog, name, path_of(root))
    elif (metric := _metric(name, paths_of(metric_paths))) is not None:
        yield from check_metric(catalog, metric, listener)
    elif Path(name).is_dir():
        yield from check_results(Results(Path(name)), repair)
    else:
        metrics = MetricCatalog(paths_of(metric_paths)).names()
        known = [*catalog.adapter_names(), *catalog.dataset_names(), *metrics]
        raise UnknownNameError("model, data set, metric or folder", name, known)


def _metric(name: str, paths: Sequence[Path]) -> MetricPlugin | None:
    """The metric folder of that name or path."""
    folder = Path(name)
    catalog = MetricCatalog(tuple(paths))
    if (folder / "metric.toml").is_file():
        return catalog.find(str(folder.absolute()))
    return catalog.find(name) if name in catalog.names() else None
