"""Download and prepare a model or a data set before use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchbench.datasets.dataset import installed_folder, open_dataset
from benchbench.errors import BenchbenchError, UnknownNameError, UsageError
from benchbench.io.archive import extract
from benchbench.io.atomic import work_folder
from benchbench.io.download import Progress, fetch
from benchbench.io.names import file_name
from benchbench.io.paths import AnyPath, paths_of
from benchbench.io.processes.locks import locked
from benchbench.io.redaction import public_address
from benchbench.plugins.catalog import Catalog, DatasetPlugin
from benchbench.separation.environments import (
    InstalledEnvironment,
    environment_folder,
    environments,
    interpreter,
    remove_environment,
)
from benchbench.separation.weights import ensure_weights, weights_folder

__all__ = ["install", "installed_environments", "uninstall"]


def install(
    name: str,
    *,
    adapter_paths: Sequence[AnyPath] = (),
    tell: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
    download_python: bool = False,
) -> Path | None:
    """Install a model (``adapter`` or ``adapter:variant``) or a data set.

    A model's environment is built and its weights are fetched; a data set is downloaded, checked
    and unpacked. Existing files are kept.

    Parameters
    ----------
    name
        A model or a data set.
    adapter_paths
        Folders that are searched for adapters first.
    tell
        Called with a sentence about each step.
    progress
        Called for each downloaded chunk.
    download_python
        Whether uv may download the Python version that a model requires, if it is missing.

    Returns
    -------
    The folder of the weights or of the data set; None for a model without weights.

    Raises
    ------
    UnknownNameError, UsageError, benchbench.errors.SeparatorError

    Examples
    --------
    The weights of Zipformer ship with it, so nothing is downloaded:

    >>> import benchbench
    >>> benchbench.install("zipformer:tiny").name
    'tiny'
    """
    catalog = Catalog(paths_of(adapter_paths))
    if catalog.has_dataset(name):
        return _install_dataset(catalog.dataset(name), tell, progress)
    if catalog.has_adapter(name):
        model = catalog.model(name)
        interpreter(model.manifest.runtime, tell=tell, download_python=download_python)
        return ensure_weights(model, tell=tell, progress=progress)
    known = [*catalog.adapter_names(), *catalog.dataset_names()]
    raise UnknownNameError("model or data set", name, known)


def installed_environments(adapter_paths: Sequence[AnyPath] = ()) -> list[InstalledEnvironment]:
    """Every installed environment, with the adapters that share it."""
    users = _users(Catalog(paths_of(adapter_paths)))
    return [
        InstalledEnvironment(found, tuple(users.get(found.folder, ()))) for found in environments()
    ]


def uninstall(
    name: str,
    *,
    adapter_paths: Sequence[AnyPath] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Remove what `install` created for a model or a data set; it is created again on use.

    Parameters
    ----------
    name
        A model, a data set, or the folder name of an environment, even one that no adapter uses
        any more.
    adapter_paths, tell
        As for `install`.

    Returns
    -------
    The number of bytes freed.

    Raises
    ------
    UnknownNameError
    """
    catalog = Catalog(paths_of(adapter_paths))
    left = {found.folder.name: found.folder for found in environments() if found.folder}
    if catalog.has_dataset(name):
        return _removed(installed_folder(catalog.dataset(name)), tell)
    if name in left:
        return remove_environment(left[name], tell)
    if not catalog.has_adapter(name):
        known = [*catalog.adapter_names(), *catalog.dataset_names(), *left]
        raise UnknownNameError("model, data set or environment", name, known)
    model = catalog.model(name)
    freed = 0
    folder = environment_folder(model.manifest.runtime)
    if folder is not None and folder.is_dir():
        others = [n for n in _users(catalog).get(folder, ()) if n != model.manifest.name]
        if others:
            tell(f"{', '.join(others)} used the same environment and will build it again.")
        freed += remove_environment(folder, tell)
    place = weights_folder(model)
    return freed + (_removed(place, tell) if place else 0)


def _users(catalog: Catalog) -> dict[Path | None, list[str]]:
    users: dict[Path | None, list[str]] = {}
    for name in catalog.adapter_names():
        try:
            folder = environment_folder(catalog.adapter(name).manifest.runtime)
        except BenchbenchError:  # a broken manifest uses nothing
            continue
        users.setdefault(folder, []).append(name)
    return users


def _removed(folder: Path, tell: Callable[[str], None]) -> int:
    if not folder.is_dir():
        return 0
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    tell(f"Removing {folder}")
    shutil.rmtree(folder)
    return size


def _install_dataset(
    dataset: DatasetPlugin, tell: Callable[[str], None], progress: Progress | None
) -> Path:
    manifest = dataset.manifest
    if manifest.layout == "generated":
        return open_dataset(dataset, tell=tell).root
    if not manifest.downloads:
        raise UsageError(
            f"{manifest.name} cannot be downloaded by benchbench.", hint=manifest.instructions
        )
    folder = installed_folder(dataset)
    with locked(folder, tell):
        if not folder.is_dir():
            tell(manifest.licence.notice)
            with work_folder(folder) as scratch:
                files = scratch / "files"
                files.mkdir()
                for part in manifest.downloads:
                    size = f" ({part.size_mb:.0f} MB)" if part.size_mb else ""
                    tell(f"Fetching {public_address(part.url)}{size}")
                    name = file_name(Path(urlsplit(part.url).path).name, keep=".")
                    declared = part.size_mb * 1e6 if part.size_mb else None
                    archive = fetch(
                        part.url, folder.parent / f"{folder.name}-{name}",
                        sha256=part.sha256, md5=part.md5, size=declared, progress=progress,
                    )  # fmt: skip
                    extract(archive, files, inner=part.inner, size=declared)
                    archive.unlink()
                files.replace(folder)
    return folder
