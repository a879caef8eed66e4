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
    copy, use, _ = fenced(page, "sh")
    shell(copy, tmp_path)
    (tmp_path / "adapters" / "half" / "adapter.toml").write_text(fenced(page, "toml")[0])
    (tmp_path / "adapters" / "half" / "adapter.py").write_text(fenced(page, "python")[0])
    said = shell(use, tmp_path)
    assert "BAD" not in said
    assert "half:2stems" in said
    assert (tmp_path / "results" / "report.html").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="the page's commands are for a POSIX shell")
def test_adding_a_model_without_python_works_as_the_page_says(
    tmp_path: Path, small_songs: Path
) -> None:
    page = (PROJECT / "docs" / "add-a-model.md").read_text(encoding="utf-8")
    _, command, folder = fenced(page, "toml")
    assert len([line for line in command.splitlines() if line.strip()]) <= 10
    for name, manifest in (("theirs", command), ("precious", folder)):
        (tmp_path / "adapters" / name).mkdir(parents=True)
        (tmp_path / "adapters" / name / "adapter.toml").write_text(manifest)
    shutil.move(small_songs, tmp_path / "songs")
    for track in ("first", "second"):
        (tmp_path / "stems" / track).mkdir(parents=True)
        for stem, source in (("vocals", "vocals"), ("accompaniment", "drums")):
            shutil.copy(
                tmp_path / "songs" / track / f"{source}.wav",
                tmp_path / "stems" / track / f"{stem}.wav",
            )
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "their-separator"
    program.write_text(
        '#!/bin/sh\ncp "$1" "$3/vocals.wav"\nmkdir "$3/deep"\ncp "$1" "$3/deep/accompaniment.wav"\n'
    )
    program.chmod(0o755)
    said = shell(fenced(page, "sh")[2], tmp_path)
    assert "BAD" not in said
    assert "theirs:2stems" in said
    assert "precious:2stems" in said
