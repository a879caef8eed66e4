"""The schema of ``run.json``: types and limits of all values that are read from a run's record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from benchbench.io.plain_files import plain_folders, read_plain

__all__ = ["RUN_RECORD_ERRORS", "read_run_record", "run_records"]

LARGEST: Final = 32 << 20
"""Maximum bytes of a run's record. With a thousand models and packages it is below a megabyte."""
DEEPEST: Final = 16
"""Maximum nesting depth of records; benchbench writes four levels."""
RUN_RECORD_ERRORS: Final = (OSError, ValueError, RecursionError, MemoryError)
"""Exceptions that reading a damaged record may raise; msgspec's errors are ValueErrors."""

Text = Annotated[str, msgspec.Meta(max_length=1 << 20)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class _Machine(msgspec.Struct):
    cpu: Text | None = None
    cores: Count | None = None
    memory_bytes: Count | None = None
    platform: Text | None = None
    gpu: list[Text] | Text | None = None
    blas: list[Text] | Text | None = None


class _Git(msgspec.Struct):
    sha: Text | None = None
    dirty: bool | None = None


class _Dataset(msgspec.Struct):
    name: Text | None = None
    version_hash: Text | None = None
    licence: Text | None = None
    notice: Text | None = None
    audio_excerpts: bool | None = None
    tracks: Count | None = None


class _Model(msgspec.Struct):
    name: Text = ""
    adapter: Text | None = None
    variant: Text | None = None
    origin: Text | None = None
    summary: Text | None = None
    stems: list[Text] | None = None
    oracle: bool | None = None
    live: bool | None = None
    trained_on: list[Text] | None = None
    licence: dict[str, Text | None] | None = None
    homepage: Text | None = None
    citation: Text | None = None
    published: list[dict[str, Any]] | None = None
    deterministic: bool | None = None
    options: dict[str, Any] | None = None
    environment: dict[str, Any] | None = None


class _Protocol(msgspec.Struct):
    name: Text
    version: int


class _RunRecord(msgspec.Struct):
    """The keys that benchbench reads; others are kept unchanged."""

    run_id: Text | None = None
    schema: int | None = None
    started: Text | None = None
    finished: Text | None = None
    command: list[Text] | None = None
    benchbench: Text | None = None
    python: Text | None = None
    git: _Git | None = None
    machine: _Machine | None = None
    packages: dict[str, Text | None] | None = None
    dataset: _Dataset | None = None
    models: Annotated[list[_Model], msgspec.Meta(max_length=10_000)] | None = None
    protocols: Annotated[list[_Protocol], msgspec.Meta(max_length=10_000)] | None = None
    options: dict[str, Any] | None = None
    jobs: Count | None = None
    counts: dict[str, Count] | None = None
    seconds: dict[str, Annotated[float, msgspec.Meta(ge=0)]] | None = None
    imported: dict[str, Any] | None = None


def run_records(root: Path) -> Iterator[Path]:
    """Every ``runs/<run_id>/run.json`` of a results folder, links left out."""
    runs = root / "runs"
    if not runs.is_symlink():
        for folder in plain_folders(runs):
            path = folder / "run.json"
            if path.is_symlink() or path.exists():
                yield path


def read_run_record(path: Path) -> dict[str, Any]:
    """Read and check one record.

    Raises
    ------
    OSError, ValueError, RecursionError, MemoryError
        When it is not a plain file, too large, too deep, not JSON, or a value has a wrong type.
    """
    content = read_plain(path, LARGEST)
    msgspec.json.decode(content, type=_RunRecord)
    facts: dict[str, Any] = msgspec.json.decode(content)
    _require_shallow(facts)
    return facts


def _require_shallow(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise ValueError(f"it is nested more than {DEEPEST} levels deep")
