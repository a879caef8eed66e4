"""Store imported scores like local ones, one model at a time, with a run that records the source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.errors import NothingToCompareError
from benchbench.io.redaction import redacted_command, redacted_value
from benchbench.metrics.targets import in_order
from benchbench.results.interchange.provenance import Imported, Roles, Source, engine_version
from benchbench.results.schema import SCHEMA_VERSION, SCORES
from benchbench.results.store import Results

__all__ = ["content_digest", "store_import"]


def content_digest(files: Iterable[tuple[str, Path]], *options: object) -> str:
    """A digest of the imported files and of the import options.

    Parameters
    ----------
    files
        Names relative to the import's root, and paths. The digest does not depend on the location.
    options
        All other settings that affect which rows are stored.
    """
    total = hashlib.sha256(repr(options).encode())
    for name, path in files:
        with path.open("rb") as file:
            total.update(repr(name).encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def store_import(
    results: Path | str,
    parts: Iterable[pa.Table],
    source: Source,
    *,
    kind: str,
    files: Sequence[Path],
    digest: str,
    roles: Roles | None = None,
    notes: Sequence[str] = (),
) -> Imported:
    """Store imported rows and a run that records their source.

    Parameters
    ----------
    results
        The results folder, created if it does not exist.
    parts
        One table per model and data set, consumed one at a time. Columns are those of
        `benchbench.results.schema.SCORES`; ``model`` is the name in the source; the identifiers are
        filled in here, and columns that a table lacks are null.
    source, kind, files
        Written into ``run.json``.
    digest
        See `content_digest`: an import with the same digest is stored once.
    roles
        Oracles, baselines and generative separators among the models.
    notes
        Remarks for the reader.

    Raises
    ------
    NothingToCompareError
        When there are no rows.
    UnknownNameError
        When a model of `roles` is missing. Nothing is stored after this or any other error.
    """
    roles = roles or Roles()
    folder = Results(Path(results))
    mark = hashlib.sha256(repr((kind, asdict(source), roles, digest)).encode()).hexdigest()
    started = datetime.now(UTC)
    run_id = _stored_run(folder, mark) or f"{started:%Y%m%dT%H%M%S}-{mark[:6]}"
    contents = _Contents()
    new: list[Path] = []
    try:
        for part in parts:
            if part.num_rows:
                table = _completed(part, source, run_id, mark)
                first = table.slice(0, 1).to_pylist()[0]
                path = folder.scores_path(first["cell_id"], first["model"], first["dataset"])
                new += [] if path.exists() else [path]
                folder.write_scores(first["cell_id"], first["model"], first["dataset"], table)
                contents.add(table)
        if not contents.rows:
            raise NothingToCompareError(
                f"Nothing to import was found in {', '.join(map(str, files)) or 'the source'}.",
                hint="`bench import --help` shows the layouts that are read.",
            )
        roles.check(name.split(":", 1)[1] for name in contents.targets)
    except BaseException:
        for path in new:
            path.unlink(missing_ok=True)
        raise
    folder.write_run(run_id, _facts(contents, source, roles, run_id, started, kind, files, mark))
    models = tuple(sorted(contents.targets))
    return Imported(run_id, models, len(contents.tracks), contents.rows, tuple(notes))


@dataclass(slots=True)
class _Contents:
    """The models, tracks and rows stored so far."""

    rows: int = 0
    datasets: list[str] = field(default_factory=list)
    targets: dict[str, list[str]] = field(default_factory=dict)
    tracks: set[tuple[str, str]] = field(default_factory=set)
    protocols: dict[tuple[str, int], None] = field(default_factory=dict)

    def add(self, table: pa.Table) -> None:
        """Count a stored table, which holds one model on one data set."""
        self.rows += table.num_rows
        model, dataset = (table.column(name)[0].as_py() for name in ("model", "dataset"))
        self.datasets.append(dataset)
        self.tracks.update((dataset, track) for track in _words(table, "track"))
        targets = {*self.targets.get(model, ()), *_words(table, "target")}
        self.targets[model] = in_order(targets)
        pairs = table.group_by(["protocol", "metric_version"]).aggregate([])
        for row in pairs.to_pylist():
            self.protocols[row["protocol"], row["metric_version"]] = None


def _words(table: pa.Table, column: str) -> list[str]:
    return [str(word) for word in pc.unique(table.column(column)).to_pylist()]


def _stored_run(folder: Results, mark: str) -> str | None:
    """The run of an earlier import of the same content."""
    runs = (run for run in folder.runs() if run.get("imported", {}).get("sha256") == mark)
    return next((str(run["run_id"]) for run in runs), None)


def _completed(part: pa.Table, source: Source, run_id: str, mark: str) -> pa.Table:
    """The columns of `SCORES`, with the identifiers of this import."""
    model, dataset = (part.column(name)[0].as_py() for name in ("model", "dataset"))
    cell = hashlib.sha256(f"{mark}{model}{dataset}".encode()).hexdigest()[:32]
    constant = {"cell_id": cell, "run_id": run_id, "model": source.model(model)}

    def column(name: str, type_: pa.DataType) -> pa.Array | pa.ChunkedArray:
        if name in constant:
            return pa.repeat(pa.scalar(constant[name], pa.string()), part.num_rows)
        if name in part.column_names:
            return part.column(name).cast(type_)
        return pa.nulls(part.num_rows, type_)

    return pa.table([column(each.name, each.type) for each in SCORES], schema=SCORES)


def _facts(
    contents: _Contents,
    source: Source,
    roles: Roles,
    run_id: str,
    started: datetime,
    kind: str,
    files: Sequence[Path],
    mark: str,
) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "run_id": run_id,
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": redacted_command(["bench", "import", kind, *map(str, files)]),
        "benchbench": engine_version(),
        "python": None,
        "git": {"sha": None, "dirty": None},
        "machine": dict.fromkeys(("cpu", "cores", "memory_bytes", "platform", "gpu", "blas")),
        "packages": {},
        "dataset": {
            "name": contents.datasets[0],
            "version_hash": None,
            "licence": source.licence,
            "notice": f"Imported from {source.name}. {source.citation}".strip(),
            "audio_excerpts": False,
            "tracks": len(contents.tracks),
        },
        "models": list(_models(contents, source, roles)),
        "protocols": [{"name": name, "version": version} for name, version in contents.protocols],
        "options": {},
        "jobs": 0,
        "counts": {"ok": 0, "failed": 0},
        "imported": {
            **redacted_value(asdict(source)),
            "kind": kind,
            "files": redacted_value([*map(str, files)]),
            "sha256": mark,
        },
    }


def _models(contents: _Contents, source: Source, roles: Roles) -> Iterator[dict[str, Any]]:
    for model in sorted(contents.targets):
        name = model.split(":", 1)[1]
        yield {
            "name": model,
            "adapter": source.name,
            "variant": name,
            "summary": f"Imported from {source.name}.",
            "stems": contents.targets[model],
            "oracle": name in roles.oracles,
            "baseline": name in roles.baselines,
            "generative": name in roles.generative,
            "trained_on": list(source.trained_on),
            "licence": {"code": "", "weights": "", "scores": source.licence},
            "homepage": source.url or None,
            "citation": source.citation,
            "published": [],
            "deterministic": True,
        }
