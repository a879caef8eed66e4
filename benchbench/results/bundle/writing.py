"""Write a bundle: a complete folder or zip file, or nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from benchbench.errors import NothingToCompareError, UsageError
from benchbench.io.atomic import replacing, write_whole
from benchbench.io.hashing import digest, short_hash
from benchbench.io.plain_files import plain_files
from benchbench.io.processes.staging import folder_beside, put_in_place
from benchbench.io.redaction import redacted, redacted_command, without_folders
from benchbench.metrics.targets import in_order
from benchbench.results.bundle.excerpt_files import write_excerpts
from benchbench.results.bundle.manifest import (
    FORMAT,
    MANIFEST,
    SIGNATURE,
    BundledModel,
    BundleFile,
    BundleManifest,
    Excerpt,
)
from benchbench.results.bundle.selection import Selection
from benchbench.results.bundle.signature import sign
from benchbench.results.interchange.provenance import engine_version
from benchbench.results.parquet_parts import COMPACTED, write_parts
from benchbench.results.schema import PARTITIONED_BY, SCORES, SEPARATIONS
from benchbench.results.store import Results

__all__ = ["Submission", "write_bundle"]

EXCERPT_TRACKS: Final = 3
EXCERPT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Submission:
    """What the submitter decides.

    Parameters
    ----------
    submitter
        A name or pseudonym to show beside the rows; may be empty.
    licence
        The licence of the numbers.
    note
        A remark for the readers of the board.
    tracks, seconds
        How many tracks have excerpts, and their length; 0 tracks: none.
    key
        An SSH key to sign with.
    """

    submitter: str = ""
    licence: str = "CC-BY-4.0"
    note: str = ""
    tracks: int = EXCERPT_TRACKS
    seconds: float = EXCERPT_SECONDS
    key: Path | None = None


def write_bundle(
    selection: Selection,
    out: Path,
    submission: Submission,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the selected results as a bundle.

    Parameters
    ----------
    selection
        The rows.
    out
        A folder, or a file whose name ends in ``.zip``; an earlier bundle of that name is replaced.
    submission
        What the submitter decides.
    tell
        Called with each remark, such as why there are no excerpts.

    Raises
    ------
    UsageError
        When `out` holds something else, or the key cannot sign.
    NothingToCompareError
        When there are no scores.
    OutputError
        When it cannot be written.
    """
    _require_replaceable(out)
    with folder_beside(out) as work:
        folder = work / "bundle"
        protocols = _write_tables(selection, folder)
        for run in selection.runs:
            Results(folder).write_run(str(run["run_id"]), _record(run, selection.models))
        excerpts = tuple(
            write_excerpts(selection, folder, submission.tracks, submission.seconds, tell)
        )
        if excerpts:
            tell(
                f"The bundle holds audio of {len(excerpts)} tracks, up to {submission.seconds:g} s "
                f"each, under the licence of {selection.dataset}: "
                f"{selection.dataset_facts.get('licence') or 'not stated'}."
            )
        manifest = _manifest(selection, submission, protocols, excerpts, tuple(_files(folder)))
        write_whole(folder / MANIFEST, manifest.encoded())
        if submission.key is not None:
            sign(folder, submission.key)
        _put(folder, out)
    return out


def _require_replaceable(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not _is_bundle(out)):
        raise UsageError(
            f"{out} exists and is no bundle.", hint="Name a new folder or a new .zip file."
        )


def _is_bundle(out: Path) -> bool:
    if out.is_dir():
        return (out / MANIFEST).is_file() or not any(out.iterdir())
    if not (out.is_file() and zipfile.is_zipfile(out)):
        return False
    with zipfile.ZipFile(out) as archive:
        return MANIFEST in archive.namelist()


def _write_tables(selection: Selection, folder: Path) -> dict[str, int]:
    """One part of scores per model and one of separations; the protocols with their versions."""
    protocols: dict[str, int] = {}
    bundle = Results(folder)
    for model in selection.models:
        table = selection.scores(model)
        if table.num_rows:
            place = bundle.scores_path("x", model, selection.dataset).parent
            _write_part(place / _part_name(model), table, SCORES, PARTITIONED_BY)
            pairs = table.group_by(["protocol", "metric_version"]).aggregate([])
            protocols |= {row["protocol"]: row["metric_version"] for row in pairs.to_pylist()}
    if not protocols:
        raise NothingToCompareError(
            f"{selection.results.root} holds no scores of {', '.join(selection.models)}.",
            hint="Score them with `bench run`.",
        )
    rows = [
        row | {"error": without_folders(row["error"]) if row["error"] else None}
        for row in selection.separation_rows()
    ]
    table = pa.Table.from_pylist(rows, SEPARATIONS)
    _write_part(folder / "separations" / _part_name("separations"), table, SEPARATIONS, ())
    return protocols


def _part_name(content: str) -> str:
    return f"{COMPACTED}000001-{short_hash(content)[:16]}.parquet"


def _write_part(path: Path, table: pa.Table, schema: pa.Schema, text: tuple[str, ...]) -> None:
    with replacing(path) as temporary:
        write_parts([table], schema, temporary, text)


def _record(run: dict[str, Any], models: tuple[str, ...]) -> dict[str, Any]:
    """A run's record with the submitted models only, without folders of the submitter's machine."""
    kept = {**run, "models": [one for one in run.get("models") or () if one["name"] in models]}
    kept["command"] = redacted_command([str(word) for word in run.get("command") or ()])
    cleaned: dict[str, Any] = without_folders(kept)
    return cleaned


def _manifest(
    selection: Selection,
    submission: Submission,
    protocols: dict[str, int],
    excerpts: tuple[Excerpt, ...],
    files: tuple[BundleFile, ...],
) -> BundleManifest:
    facts, rows = selection.dataset_facts, selection.separations
    told = {
        str(model["name"]): model for run in selection.runs for model in run.get("models") or ()
    }
    return BundleManifest(
        format=FORMAT,
        benchbench=engine_version() or "",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        submitter=redacted(submission.submitter),
        licence=submission.licence,
        dataset=selection.dataset,
        dataset_hash=str(facts.get("version_hash") or ""),
        dataset_licence=str(facts.get("licence") or ""),
        tracks=int(rows["track"].nunique()),
        models=tuple(
            _model(name, rows[rows["model"] == name].iloc[-1], told.get(name, {}))
            for name in selection.models
        ),
        protocols={name: protocols[name] for name in in_order(protocols)},
        excerpts=excerpts,
        files=files,
        note=redacted(submission.note),
    )


def _model(name: str, row: pd.Series, facts: dict[str, Any]) -> BundledModel:
    return BundledModel(
        name,
        str(row["adapter_hash"]),
        str(row["weights_hash"]),
        str(row["options_hash"]),
        tuple(map(str, facts.get("trained_on") or str(row["trained_on"]).split())),
        bool(row["oracle"]),
        bool(facts.get("generative")),
    )


def _files(folder: Path) -> Iterator[BundleFile]:
    for path in plain_files(folder):
        name = path.relative_to(folder).as_posix()
        if name not in (MANIFEST, SIGNATURE):
            yield BundleFile(name, path.stat().st_size, digest(path))


def _put(folder: Path, out: Path) -> None:
    """Move the finished folder to its place, or pack it."""
    if out.suffix.lower() != ".zip":
        put_in_place(folder, out)
        return
    with replacing(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for path in sorted(plain_files(folder)):
            # FLAC and Parquet are compressed already; a fixed time gives the same bytes again.
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (2000, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED if path.suffix == ".json" else 0
            archive.writestr(entry, path.read_bytes())
