"""The how-to pages say what works: their files are written and their commands are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def fenced(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def shell(script: str, cwd: Path) -> str:
    """Run a page's commands, with ``bench`` standing for this interpreter's."""
    launcher = cwd / "bin" / "bench"
    launcher.parent.mkdir(exist_ok=True)
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m benchbench "$@"\n')
    launcher.chmod(0o755)
    path = f"{launcher.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the page's commands are for a POSIX shell")
def test_adding_a_model_works_as_the_page_says(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "add-a-model.md").read_text(encoding="utf-8")
    shutil.copytree(PROJECT / "adapters" / "mixture", tmp_path / "adapters" / "mixture")
    copy, use = fenced(page, "sh")
    shell(copy, tmp_path)
    (tmp_path / "adapters" / "half" / "adapter.toml").write_text(fenced(page, "toml")[0])
    (tmp_path / "adapters" / "half" / "adapter.py").write_text(fenced(page, "python")[0])
    said = shell(use, tmp_path)
    assert "BAD" not in said
    assert "half:2stems" in said
    assert (tmp_path / "results" / "report.html").is_file()
