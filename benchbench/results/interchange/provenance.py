"""How imported numbers are stored: as scores like any other, with where they come from beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchbench.errors import NothingToCompareError, UsageError
from benchbench.metrics.targets import in_order
from benchbench.results.schema import REASONS, SCHEMA_VERSION, SCORES
from benchbench.results.store import Results

__all__ = ["Imported", "Source", "engine_version", "store_import"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where imported numbers come from, and under which terms.

    Parameters
    ----------
    name
        A short name, such as ``sisec18``; models become ``name:model``, so that they can neither be
        taken for one's own nor overwrite them.
    licence
        The licence of the numbers, as an SPDX name where there is one; ``unknown`` otherwise.
    citation, url
        What to cite, and where the numbers were found.
    trained_on
        Data sets that the models were trained on, where that is known of all of them.
    """

    name: str
    licence: str = "unknown"
    citation: str = ""
    url: str = ""
    trained_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or any(sign in self.name for sign in ":/\\ "):
            raise UsageError(
                f"A source's name is one word without ':' or '/', not {self.name!r}.",
                hint="For instance --source sisec18.",
            )

    def model(self, name: str) -> str:
        """The name that one of its models goes by."""
        return f"{self.name}:{name.replace(':', '-')}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought.

    Parameters
    ----------
    run_id
        The run that stands for the import.
    models
        The names of the models, as stored.
    tracks, rows
        How much there was.
    notes
        What a reader must know: rows left out, and why.
    """

    run_id: str
    models: tuple[str, ...]
    tracks: int
    rows: int
    notes: tuple[str, ...] = ()


def store_import(
    results: Path | str,
    rows: pd.DataFrame,
    source: Source,
    *,
    kind: str,
    files: Sequence[Path],
    notes: Sequence[str] = (),
) -> Imported:
    """Store imported rows and the run that tells where they come from.

    Parameters
    ----------
    results
        The results folder, made when it does not exist.
    rows
        Columns model (without the source), dataset, track, target, reference_set, protocol, metric,
        metric_version, value, and any other of `SCORES`; a value that is not finite becomes a
        missing one with its ``reason``.
    source, kind, files, notes
        What is written down beside them.

    Returns
    -------
    Imported
        The same import made twice is stored once: parts are named by their content.

    Raises
    ------
    NothingToCompareError
        When there are no rows.
    """
    if rows.empty:
        raise NothingToCompareError(
            f"Nothing to import was found in {', '.join(map(str, files)) or 'there'}.",
            hint="`bench import --help` shows the layouts that are read.",
        )
    folder = Results(Path(results))
    started = datetime.now(UTC)
    digest = hashlib.sha256(repr((kind, asdict(source))).encode())
    digest.update(pd.util.hash_pandas_object(rows.astype("str"), index=False).to_numpy().tobytes())
    mark = digest.hexdigest()
    run_id = next(
        (
            str(run["run_id"])
            for run in folder.runs()
            if run.get("imported", {}).get("sha256") == mark
        ),
        f"{started:%Y%m%dT%H%M%S}-{mark[:6]}",
    )
    frame = _shaped(rows, source, run_id)
    for (model, dataset), part in frame.groupby(["model", "dataset"], sort=True):
        cell = hashlib.sha256(f"{mark}{model}{dataset}".encode()).hexdigest()[:32]
        table = pa.Table.from_pandas(
            part.assign(cell_id=cell)[SCORES.names], schema=SCORES, preserve_index=False
        )
        folder.write_scores(cell, str(model), str(dataset), table)
    folder.write_run(run_id, _facts(frame, source, run_id, started, kind, files, mark))
    return Imported(
        run_id,
        tuple(sorted(frame["model"].unique())),
        int(frame["track"].nunique()),
        len(frame),
        tuple(notes),
    )


def _shaped(rows: pd.DataFrame, source: Source, run_id: str) -> pd.DataFrame:
    frame = rows.copy()
    frame["model"] = [source.model(str(name)) for name in frame["model"]]
    frame["run_id"] = run_id
    frame["separation_id"] = None
    for column in ("band_lo_hz", "band_hi_hz", "start_s", "duration_s"):
        if column not in frame:
            frame[column] = np.nan
    values = frame["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.isfinite(values)
    frame["value"] = np.where(finite, values, np.nan)
    given = frame["reason"] if "reason" in frame else pd.Series(None, frame.index, dtype=object)
    known = given.where(given.isin(REASONS), None).astype(object)
    frame["reason"] = known.where(finite | known.notna(), "metric_failed")
    return frame


def _facts(
    frame: pd.DataFrame,
    source: Source,
    run_id: str,
    started: datetime,
    kind: str,
    files: Sequence[Path],
    mark: str,
) -> dict[str, Any]:
    protocols = frame[["protocol", "metric_version"]].drop_duplicates()
    return {
        "schema": SCHEMA_VERSION,
        "run_id": run_id,
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["bench", "import", kind, *map(str, files)],
        "benchbench": engine_version(),
        "python": None,
        "git": {"sha": None, "dirty": None},
        "machine": dict.fromkeys(("cpu", "cores", "memory_bytes", "platform", "gpu", "blas")),
        "packages": {},
        "dataset": {
            "name": str(frame["dataset"].iloc[0]),
            "version_hash": None,
            "licence": source.licence,
            "notice": f"Imported from {source.name}. {source.citation}".strip(),
            "audio_excerpts": False,
            "tracks": int(frame["track"].nunique()),
        },
        "models": [
            {
                "name": model,
                "adapter": source.name,
                "variant": str(model).split(":", 1)[1],
                "summary": f"Imported from {source.name}.",
                "stems": in_order(part["target"].unique()),
                "oracle": False,
                "trained_on": list(source.trained_on),
                "licence": {"code": "", "weights": "", "scores": source.licence},
                "homepage": source.url or None,
                "citation": source.citation,
                "published": [],
                "deterministic": True,
            }
            for model, part in frame.groupby("model", sort=True)
        ],
        "protocols": [
            {"name": str(name), "version": int(number)}
            for name, number in protocols.itertuples(index=False)
        ],
        "options": {},
        "jobs": 0,
        "counts": {"ok": 0, "failed": 0},
        "imported": {**asdict(source), "kind": kind, "files": [*map(str, files)], "sha256": mark},
    }


def engine_version() -> str | None:
    """The version of benchbench, or None in a source tree that was never installed."""
    try:
        return version("benchbench")
    except PackageNotFoundError:
        return None
