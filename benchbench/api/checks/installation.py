"""Checks of this machine: memory, packages, cache, manifests."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator

from benchbench.errors import DISTRIBUTION, BenchbenchError
from benchbench.io.cache import cache_folder
from benchbench.plugins.catalog import Adapter, Catalog, DatasetPlugin
from benchbench.running.machine import machine, processors
from benchbench.separation.conformance import Check
from benchbench.separation.readiness import readiness

__all__ = ["check_installation"]


def check_installation(catalog: Catalog) -> Iterator[Check]:
    """The machine, the package, the cache, and every manifest."""
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


def _to_install(catalog: Catalog, plugin: Adapter | DatasetPlugin) -> str:
    """What the default variant of an adapter still needs; empty for nothing."""
    if isinstance(plugin, DatasetPlugin):
        return ""
    missing = readiness(catalog.model(plugin.manifest.name)).missing
    return missing and f"the manifest is valid; {missing}"
