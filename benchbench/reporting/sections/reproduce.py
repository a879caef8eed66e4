"""Provenance of the numbers: commands, versions, hashes, machine, and the rows themselves."""

from __future__ import annotations

import base64
import io
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchbench.io.redaction import redacted_command
from benchbench.reporting.data.loading import LoadedResults
from benchbench.reporting.data.track_rows import TrackRows, joined
from benchbench.reporting.formatting import megabytes
from benchbench.reporting.sections.citations import Origin, origins_of

__all__ = ["Download", "Provenance", "command_of", "downloads", "facts", "shown_tracks"]

MOST_EMBEDDED: Final = 300_000
"""Rows of a table that a page holds as a file: about 2 MB. A site has larger ones as files."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file inside the page."""

    name: str
    label: str
    size: str
    content: bytes

    @property
    def url(self) -> str:
        """The file as a ``data:`` URL."""
        text = base64.b64encode(self.content).decode("ascii")
        return f"data:application/vnd.apache.parquet;base64,{text}"


@dataclass(frozen=True)
class Provenance:
    """Provenance of a page's numbers: the newest run, its machine and packages, and imports.

    Parameters
    ----------
    run
        Facts of the newest run.
    loaded
        The results behind the page.
    models
        Names of the models on the page.
    """

    run: dict[str, Any]
    loaded: LoadedResults
    models: Sequence[str]

    @property
    def command(self) -> str:
        """The command that started the newest run."""
        return command_of(self.run)

    def again(self, metrics: str) -> str:
        """The command that adds scores of a protocol to the newest run."""
        words = [str(word) for word in self.run.get("command") or ("bench", "run")]
        if "--metrics" in words[:-1]:
            place = words.index("--metrics") + 1
            words[place] = f"{words[place]},{metrics}"
        else:
            words += ["--metrics", f"standard,{metrics}"]
        return shlex.join(words)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Versions and machine of the newest run."""
        return facts(self.run)

    @property
    def packages(self) -> tuple[tuple[str, str], ...]:
        """The packages of the newest run."""
        return packages(self.run)

    @cached_property
    def downloads(self) -> tuple[Download, ...]:
        """The rows behind the tables."""
        return downloads(self.loaded.tracks, self.loaded.separations)

    @cached_property
    def imports(self) -> tuple[Origin, ...]:
        """The origin of imported scores."""
        return origins_of(self.loaded.runs, self.models)


def command_of(run: dict[str, Any]) -> str:
    """The command that started a run, quoted for a shell."""
    return shlex.join(redacted_command([str(word) for word in run.get("command") or ()]))


def facts(run: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The facts needed to reproduce the numbers, as label and value."""
    machine, dataset, git = (run.get(key) or {} for key in ("machine", "dataset", "git"))
    sha = str(git.get("sha") or "")
    protocols = run.get("protocols") or ()
    facts = (
        ("Run", run.get("run_id")),
        ("Started", run.get("started")),
        ("Finished", run.get("finished")),
        ("benchbench", run.get("benchbench")),
        ("Source", f"{sha[:12]}{', with uncommitted changes' if git.get('dirty') else ''}"),
        ("Python", run.get("python")),
        ("Data set", dataset.get("name")),
        ("Data set version", dataset.get("version_hash")),
        ("Data set licence", dataset.get("licence")),
        ("Processor", machine.get("cpu")),
        ("Cores", machine.get("cores")),
        ("Memory", megabytes(machine["memory_bytes"]) if machine.get("memory_bytes") else None),
        ("Graphics", _words(machine.get("gpu")) or "none"),
        ("Linear algebra", _words(machine.get("blas"))),
        ("System", machine.get("platform")),
        ("Separations at a time", run.get("jobs")),
        ("Protocols", ", ".join(f"{one['name']} version {one['version']}" for one in protocols)),
    )
    return tuple((label, str(value)) for label, value in facts if value)


def packages(run: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Every package of the interpreter, by name."""
    return tuple(sorted((str(k), str(v)) for k, v in (run.get("packages") or {}).items()))


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def downloads(tracks: TrackRows, separations: pd.DataFrame) -> tuple[Download, ...]:
    """The rows behind the tables, as Parquet files embedded in the page."""
    files = []
    if len(tracks) <= MOST_EMBEDDED:
        label = "one row per model, track, target and metric"
        files.append(_download("tracks.parquet", label, shown_tracks(tracks.whole())))
    if len(separations) <= MOST_EMBEDDED:
        logs = separations.drop(columns=[name for name in ("log_tail",) if name in separations])
        label = "one row per model and track: status, time, memory"
        files.append(_download("separations.parquet", label, joined([logs])))
    return tuple(files)


def shown_tracks(tracks: pd.DataFrame) -> pd.DataFrame:
    """The numbers of every track, with thousandths of a decibel: more would double the size."""
    plain = tracks.drop(columns=["mean"]).rename(columns={"value": "median_over_frames"})
    plain.insert(
        list(plain.columns).index("median_over_frames") + 1, "mean_over_frames", tracks["mean"]
    )
    for name in plain.select_dtypes("float64"):
        plain[name] = plain[name].round(3).astype("float32")
    return plain


def _download(name: str, label: str, table: pd.DataFrame) -> Download:
    buffer = io.BytesIO()
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, buffer, compression="zstd", compression_level=9)
    content = buffer.getvalue()
    size = f"{len(content) / 1e6:.1f} MB" if len(content) >= 1e6 else f"{len(content) / 1e3:.0f} kB"
    return Download(name, f"{label}; {len(table):,} rows", size, content)
