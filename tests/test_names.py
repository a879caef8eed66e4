"""The name by which the project is installed, wherever it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from benchbench.errors import DISTRIBUTION, MissingExtraError

ROOT = Path(__file__).resolve().parents[1]
TEXT = {".cfg", ".html", ".ini", ".ipynb", ".js", ".json", ".md", ".py", ".sh", ".toml", ".txt"}
TEXT |= {".yaml", ".yml", ""}
# ``benchbench`` in the place of a package's name: after an installer, or with extras.
FOREIGN = re.compile(
    r"(?:pip|pipx|uv|uvx)\s+(?:pip\s+|tool\s+|add\s+)?(?:install|run|download)\b[^\n|;&`]*?"
    r"(?<![\w./-])benchbench(?![\w/.@-])|(?<![\w./-])benchbench\[\w"
)


def test_the_pattern_finds_the_foreign_package() -> None:
    for text in (
        "pip install benchbench",
        "python -m pip install -U benchbench",
        "uv pip install 'benchbench[cluster]'",
        "needs benchbench[rendered]",
        "pipx install benchbench && bench run",
    ):
        assert FOREIGN.search(text), text
    for text in (
        "pip install benchbench-audio",
        "pip install .",
        "pip install 'benchbench-audio[x]'",
    ):
        assert not FOREIGN.search(text), text


def test_no_page_hint_or_workflow_installs_the_other_project() -> None:
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False
    ).stdout.split("\n")
    files = [ROOT / name for name in listed if name] or [
        path for path in ROOT.rglob("*") if ".git" not in path.parts
    ]
    bad = []
    for path in files:
        if path.suffix not in TEXT or not path.is_file() or path == Path(__file__).resolve():
            continue
        text = path.read_text("utf-8", errors="replace")
        bad += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FOREIGN.finditer(text)]
    assert not bad


def test_a_missing_extra_names_the_command() -> None:
    error = MissingExtraError("tensorflow", "tensorflow", "Training")
    assert str(error) == (
        "Training needs the package tensorflow, which is not installed.\n"
        f"Install it with: pip install '{DISTRIBUTION}[tensorflow]'"
    )
