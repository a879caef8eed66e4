"""Open a stranger's bundle: only known files, no links, and every file as ``bundle.json`` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from benchbench.errors import BenchbenchError, DamagedResultsError
from benchbench.io.archive import extract
from benchbench.io.hashing import digest
from benchbench.io.plain_files import odd_entries, plain_files
from benchbench.results.bundle.layout import is_bundle_path
from benchbench.results.bundle.manifest import (
    MANIFEST,
    SIGNATURE,
    BundleManifest,
    read_manifest,
)
from benchbench.results.integrity import damaged_parts
from benchbench.results.store import Results
from benchbench.results.untrusted_tables import require_identifier, require_sound

__all__ = ["OpenBundle", "open_bundle"]

MOST_BYTES: Final = 4 << 30
MOST_FILES: Final = 20_000


@dataclass(frozen=True)
class OpenBundle:
    """A bundle whose files are those of its manifest.

    Parameters
    ----------
    folder
        Where its files lie.
    manifest
        The content of ``bundle.json``.
    scores, separations
        Its tables, with text columns as dictionaries; names and numbers are checked.
    runs
        Its records of runs, oldest first.
    """

    folder: Path
    manifest: BundleManifest
    scores: pa.Table
    separations: pa.Table
    runs: tuple[dict[str, object], ...]


def open_bundle(bundle: Path, scratch: Path) -> OpenBundle:
    """Open a folder or a zip file.

    Parameters
    ----------
    bundle
        The folder or file.
    scratch
        An empty folder to unpack into.

    Raises
    ------
    DamagedResultsError
        When something is missing, damaged, too large, of another type, or does not belong into a
        bundle. The message names the file.
    """
    folder = bundle if bundle.is_dir() else _unpacked(bundle, scratch)
    _require_plain(folder)
    manifest = read_manifest(folder)
    _require_files(folder, manifest)
    results = Results(folder)
    for kind in ("scores", "separations"):
        for path, why in damaged_parts(folder, kind):
            raise _refused(f"{path.relative_to(folder).as_posix()}: {why}")
    scores = require_sound(Path("scores"), "scores", results.encoded_scores())
    separations = require_sound(Path("separations"), "separations", results.encoded_separations())
    if not scores.num_rows:
        raise _refused("it holds no scores")
    runs = tuple(results.runs())
    for run in runs:
        require_identifier(Path("runs"), str(run.get("run_id", "")))
    return OpenBundle(folder, manifest, scores, separations, runs)


def _unpacked(bundle: Path, scratch: Path) -> Path:
    if bundle.is_symlink() or not bundle.is_file():
        raise _refused("it is no folder and no plain file")
    try:
        extract(bundle, scratch)
    except BenchbenchError as error:
        raise _refused(error.message.removeprefix(f"{bundle} ").rstrip(".")) from error
    return scratch


def _require_plain(folder: Path) -> None:
    for path in odd_entries(folder):
        raise _refused(f"{_shown(path, folder)} is a link or no plain file")
    count = size = 0
    for path in plain_files(folder):
        name = path.relative_to(folder).as_posix()
        if not is_bundle_path(name):
            raise _refused(f"{_shown(path, folder)} does not belong into a bundle")
        count, size = count + 1, size + path.stat().st_size
    if count > MOST_FILES or size > MOST_BYTES:
        raise _refused(f"it has {count} files and {size} bytes")


def _require_files(folder: Path, manifest: BundleManifest) -> None:
    stated = {file.path: file for file in manifest.files}
    if len(stated) != len(manifest.files):
        raise _refused(f"{MANIFEST} names a file twice")
    present = {path.relative_to(folder).as_posix() for path in plain_files(folder)}
    present -= {MANIFEST, SIGNATURE}
    for name in sorted(stated.keys() ^ present):
        where = "is missing" if name in stated else f"is not listed in {MANIFEST}"
        raise _refused(f"{name[:120]!r} {where}")
    for name, file in stated.items():
        path = folder / name
        if path.stat().st_size != file.bytes or digest(path) != file.sha256:
            raise _refused(f"{name} differs from its hash in {MANIFEST}")


def _shown(path: Path, folder: Path) -> str:
    return repr(path.relative_to(folder).as_posix()[:120])


def _refused(why: str) -> DamagedResultsError:
    return DamagedResultsError(
        f"The bundle is refused: {why}.", hint="Make it again with `bench submit`."
    )
