"""Fetch what a model or a data set needs before it is used."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchbench.archive import extract
from benchbench.cache import locked
from benchbench.catalog import Catalog, Dataset
from benchbench.corpus import installed_folder, open_corpus
from benchbench.download import Progress, fetch
from benchbench.environment import interpreter
from benchbench.errors import UnknownNameError, UsageError
from benchbench.weights import ensure_weights

__all__ = ["install"]


def install(
    name: str,
    *,
    adapter_paths: Sequence[Path] = (),
    tell: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Path | None:
    """Install a model (``adapter`` or ``adapter:variant``) or a data set.

    A model's environment is built and its weights are fetched; a data set is downloaded, checked
    and unpacked. What is there already is kept.

    Parameters
    ----------
    name
        A model or a data set.
    adapter_paths
        Folders that are searched for adapters first.
    tell
        Told in a sentence what is being done.
    progress
        Told of each downloaded chunk.

    Returns
    -------
    The folder of the weights or of the data set; None for a model without weights.

    Raises
    ------
    UnknownNameError, UsageError, benchbench.errors.SeparatorError
    """
    catalog = Catalog(tuple(adapter_paths))
    if name in catalog.dataset_names():
        return _install_dataset(catalog.dataset(name), tell, progress)
    if name.partition(":")[0] in catalog.adapter_names():
        model = catalog.model(name)
        interpreter(model.manifest.runtime, tell=tell)
        return ensure_weights(model, tell=tell, progress=progress)
    known = [*catalog.adapter_names(), *catalog.dataset_names()]
    raise UnknownNameError("model or data set", name, known)


def _install_dataset(
    dataset: Dataset, tell: Callable[[str], None], progress: Progress | None
) -> Path:
    manifest = dataset.manifest
    if manifest.layout == "generated":
        return open_corpus(dataset, tell=tell).root
    if not manifest.downloads:
        raise UsageError(
            f"{manifest.name} cannot be downloaded by benchbench.", hint=manifest.instructions
        )
    folder = installed_folder(manifest)
    with locked(folder):
        if not folder.is_dir():
            tell(manifest.licence.notice)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".install-") as scratch:
                files = Path(scratch) / "files"
                files.mkdir()
                for part in manifest.downloads:
                    size = f" ({part.size_mb:.0f} MB)" if part.size_mb else ""
                    tell(f"Fetching {part.url}{size}")
                    target = folder.parent / Path(urlsplit(part.url).path).name
                    archive = fetch(
                        part.url, target, sha256=part.sha256, md5=part.md5, progress=progress
                    )
                    extract(archive, files, inner=part.inner)
                    archive.unlink()
                files.replace(folder)
    return folder
