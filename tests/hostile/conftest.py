"""Untrusted input: results with planted faults, adapters, servers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

SCORE: dict[str, Any] = dict.fromkeys(SCORES.names) | {
    "cell_id": "c0", "separation_id": "s0", "run_id": "r0", "model": "net:big", "dataset": "d",
    "track": "t0", "target": "vocals", "reference_set": "vocals+accompaniment", "protocol": "usdr",
    "metric": "SDR", "metric_version": 1, "value": 1.5,
}  # fmt: skip
SEPARATION: dict[str, Any] = dict.fromkeys(SEPARATIONS.names) | {
    "separation_id": "s0", "run_id": "r0", "model": "net:big", "adapter_hash": "a",
    "weights_hash": "w", "options_hash": "o", "dataset": "d", "dataset_hash": "dh", "track": "t0",
    "track_hash": "th", "track_flags": "", "oracle": False, "trained_on": "", "stems": "vocals",
    "status": "ok", "wall_s": 1.0, "audio_s": 2.0, "jobs": 1,
}  # fmt: skip
RUN: dict[str, Any] = {
    "run_id": "r0",
    "started": "2026-01-01T00:00:00+00:00",
    "models": [{"name": "net:big", "stems": ["vocals"]}],
    "dataset": {"name": "d"},
    "protocols": [{"name": "usdr", "version": 1}],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is `hostile`; what is also `slow` runs in ``tox -e hostile`` only."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("hostile")


def score_table(**changes: Any) -> pa.Table:
    return pa.Table.from_pylist([SCORE | changes], SCORES)


def write_results(root: Path, tracks: int = 3) -> Results:
    """A small sound results folder."""
    results = Results(root)
    for n in range(tracks):
        ids = {"separation_id": f"s{n}", "track": f"t{n}"}
        table = score_table(cell_id=f"c{n}", value=1.5 + n, **ids)
        results.write_scores(f"c{n}", "net:big", "d", table)
        results.write_separation(SEPARATION | ids)
    results.write_run("r0", RUN)
    return results


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A stranger's results folder, alone in a folder of its own."""
    return write_results(tmp_path / "stranger" / "theirs").root


def bench(
    *words: object,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """The program ``bench``, as its console script starts it, whatever folder it stands in."""
    program = "import sys; sys.path[:] = [p for p in sys.path if p]\n"
    program += "from benchbench.__main__ import main; main()"
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "BENCHBENCH_NO_COLOUR": "1"}
    return subprocess.run(
        [sys.executable, "-P", "-c", program, *map(str, words)],
        capture_output=True, text=True, cwd=cwd, timeout=timeout, errors="backslashreplace",
        env={**variables, **(environment or {})},
    )  # fmt: skip


def one_clear_error(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The command ended with a sentence, not with a traceback."""
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.returncode == code, (done.returncode, done.stdout[-500:], done.stderr[-1500:])
    for word in words:
        assert word in done.stderr, done.stderr[-1500:]


Bench = Callable[..., subprocess.CompletedProcess[str]]
