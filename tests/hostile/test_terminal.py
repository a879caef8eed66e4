"""Names in a stranger's results never move the cursor, ring, or reverse what a terminal shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchbench.cli import app
from benchbench.results.store import Results
from tests.hostile.conftest import RUN, SEPARATION, score_table

SIGNS = "\x1b]0;x\x07\x9b31m\u202e"
HIDDEN = ("\x1b]0", "\x07", "\x9b", "\u202e")
BAD, GOOD = f"net{SIGNS}:big", "other:small"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results whose names, messages and facts hold control characters."""
    results = Results(tmp_path_factory.mktemp("terminal") / "theirs")
    dataset = f"d{SIGNS}"
    for letter, model in (("a", BAD), ("b", GOOD)):
        for n in range(3):
            ids = {
                "separation_id": f"s{n}{letter}", "model": model, "track": f"t{n}{SIGNS}",
                "dataset": dataset,
            }  # fmt: skip
            table = score_table(cell_id=f"c{n}{letter}", value=1.5 + n, **ids)
            results.write_scores(f"c{n}{letter}", model, dataset, table)
            failed = {"status": "failed", "error": f"no{SIGNS}", "log_tail": SIGNS}
            results.write_separation(SEPARATION | ids | (failed if n == 2 else {}))
    facts = {"summary": SIGNS, "stems": ["vocals"], "licence": {"code": SIGNS}}
    results.write_run(
        "r0",
        RUN
        | {
            "models": [{"name": BAD, **facts}, {"name": GOOD, **facts}],
            "dataset": {"name": dataset, "notice": SIGNS, "licence": SIGNS},
            "command": ["bench", SIGNS], "benchbench": SIGNS, "machine": {"cpu": SIGNS},
        },
    )  # fmt: skip
    return results.root


WORDS: dict[str, list[str]] = {
    "list": ["list", "runs", "--out", "{theirs}"],
    "list json": ["list", "runs", "--out", "{theirs}", "--format", "json"],
    "show": ["show", "r0", "--out", "{theirs}"],
    "show json": ["show", "r0", "--out", "{theirs}", "--format", "json"],
    "compare": ["compare", "{theirs}@" + GOOD, "{theirs}@" + BAD],
    "compare json": ["compare", "{theirs}@" + GOOD, "{theirs}@" + BAD, "--format", "json"],
    "gate": ["gate", "--baseline", "{out}/base", "--results", "{theirs}", "--accept"],
    "report": ["report", "{theirs}", "--out", "{out}/report.html"],
    "doctor": ["doctor", "{theirs}"],
    "submit": ["submit", "{theirs}", "--out", "{out}/bundle"],
    "export": ["export", "csv", "--out", "{out}/a.csv", "--results", "{theirs}"],
    "import": ["import", "benchbench", "{theirs}", "--source", "x", "--results", "{out}/r"],
    "agreement": ["agreement", "{theirs}"],
}


@pytest.mark.parametrize("name", WORDS)
def test_no_control_character_reaches_the_terminal(name: str, theirs: Path, tmp_path: Path) -> None:
    words = [word.format(theirs=theirs, out=tmp_path) for word in WORDS[name]]
    done = CliRunner().invoke(app, words, color=True)
    said = done.output + str(done.exception or "")
    assert said.strip()
    if done.exception is None or isinstance(done.exception, SystemExit):
        for sign in HIDDEN:
            assert sign not in done.output
    if name.endswith("json"):
        json.loads(done.stdout)
