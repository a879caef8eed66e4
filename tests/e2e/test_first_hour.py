"""A newcomer's first hour, as docs/index.md and docs/ci/README.md tell it: run, own model, own data,
compare, gate."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def bench(*words: object, cwd: Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchbench", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_from_the_first_run_to_a_gate(tmp_path: Path, small_songs: Path) -> None:
    # An own model.
    assert "Next: bench doctor half" in bench("new", "model", "half", cwd=tmp_path)
    models = json.loads(bench("list", "models", "--format", "json", cwd=tmp_path))
    assert "half:2stems" in {row["model"] for row in models}
    # Own data, planned and then run.
    data = ["--dataset", "folder", "--root", small_songs, "--metrics", "usdr,si"]
    assert "Nothing was done." in bench(
        "run", "--models", "half,mixture", *data, "--plan", cwd=tmp_path
    )
    assert not (tmp_path / "results").exists()
    table = bench("run", "--models", "half,mixture,irm", *data, cwd=tmp_path)
    assert "vocals" in table.splitlines()
    assert "Speed: times faster than real time" in " ".join(table.split())
    page = (tmp_path / "results" / "report.html").read_text("utf-8")
    # A second run with another model: the page still shows the whole folder.
    bench("run", "--models", "silence", *data, cwd=tmp_path)
    page = (tmp_path / "results" / "report.html").read_text("utf-8")
    for name in ("half:2stems", "irm:2stems", "silence:2stems"):
        assert name in page
    assert "this run" in page
    # Compare by adapters' names.
    said = bench("compare", "results@half", "results@irm", cwd=tmp_path)
    assert said.splitlines()[3].startswith("irm:2stems against half:2stems by usdr SDR")
    # A gate: accept, pass.
    bench("gate", "--baseline", "main.parquet", "--accept", cwd=tmp_path)
    assert "checks passed" in bench(
        "gate", "--baseline", "main.parquet", "--profile", "identical", cwd=tmp_path
    )
