"""A small folder of simulated results, and the page made from it once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulate import Plan, simulate

from benchbench.reporting import report
from benchbench.results.store import Results

HOSTILE_MODEL = "</script><script>alert(1)</script>:‮base"
HOSTILE_TRACK = '<img src=x onerror="alert(1)"> ‮gnp'


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five models on eight tracks in two runs."""
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, Plan(models=5, tracks=8, frames=6, runs=2, stems="four"))
    return root


@pytest.fixture(scope="session")
def page(results: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The whole page as text."""
    out = tmp_path_factory.mktemp("page") / "report.html"
    assert report([results], out) == out
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def hostile(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose model and track names try to become markup."""
    root = tmp_path_factory.mktemp("hostile")
    simulate(root, Plan(models=3, tracks=4, frames=4, stems="four", failures=0.0))
    _rename(Results(root))
    out = root / "report.html"
    report([root], out)
    return out


def _rename(results: Results) -> None:
    scores = results.scores().to_pylist()
    separations = results.separations().to_pylist()
    import shutil

    import pyarrow as pa

    from benchbench.results.schema import SCORES

    shutil.rmtree(results.root / "scores")
    for row in scores + separations:
        row["model"] = HOSTILE_MODEL if row["model"].startswith("net01") else row["model"]
        row["track"] = HOSTILE_TRACK if row["track"].endswith("1") else row["track"]
    for model in {row["model"] for row in scores}:
        own = [row for row in scores if row["model"] == model]
        results.write_scores("cell", model, "simulated", pa.Table.from_pylist(own, SCORES))
    for row in separations:
        results.write_separation(row)
