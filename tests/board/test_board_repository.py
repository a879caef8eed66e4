"""The walk of a stranger's submission: from a run to a row on the site, in real git repositories."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

import benchbench
from benchbench.cli import app
from benchbench.scoring.submission.rules import read_rules

from .conftest import Bundle

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "docs" / "board" / "template"
COMMANDS = typer.main.get_command(app).commands

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("git") is None, reason="needs git and a POSIX shell"
)


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, str]:
    """Variables in which ``bench`` is this interpreter's, and git knows an author."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "bench").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m benchbench "$@"\n')
    (programs / "bench").chmod(0o755)
    author = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))}  # fmt: skip
    return {**os.environ, **author, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull}  # fmt: skip


class Repository:
    """A clone with the commands of a person in it."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder, self.variables = folder, variables

    def git(self, *words: object) -> str:
        done = self.run("git", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*map(str, words)], cwd=self.folder, env=self.variables,
                              capture_output=True, text=True, check=False)  # fmt: skip

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def check(self, branch: str) -> subprocess.CompletedProcess[str]:
        """What the workflow does with a pull request."""
        self.git("fetch", "-q", "origin", f"+refs/heads/{branch}:refs/heads/submission")
        return self.run("sh", "board.sh", "check", "origin/main", "submission")


@pytest.fixture
def board(tmp_path: Path, commands: dict[str, str]) -> tuple[Path, Repository]:
    """The bare remote of a board made from the template, and its maintainer's clone."""
    remote = tmp_path / "board.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", remote], check=True, env=commands)
    folder = tmp_path / "maintainer"
    subprocess.run(["git", "clone", "-q", remote, folder], check=True, env=commands,
                   capture_output=True)  # fmt: skip
    shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True)
    (folder / "board.toml").write_text(
        'dataset = "folder"\nprotocols = ["usdr", "windows"]\ntracks = 3\nexcerpts = 2\n'
    )
    maintainer = Repository(folder, commands)
    maintainer.commit("A board")
    maintainer.git("push", "-q", "origin", "HEAD:main")
    return remote, maintainer


@pytest.mark.timeout(900)
def test_a_stranger_gets_a_row_on_the_site(
    board: tuple[Path, Repository], results: Path, tmp_path: Path, commands: dict[str, str]
) -> None:
    remote, maintainer = board
    subprocess.run(["git", "clone", "-q", remote, tmp_path / "ada"], check=True, env=commands)
    ada = Repository(tmp_path / "ada", commands)
    done = ada.run("bench", "submit", results, "--out", "submissions/ada", "--excerpts", "2")
    assert done.returncode == 0, done.stderr
    assert "audio of 2 tracks" in done.stderr
    ada.git("checkout", "-q", "-b", "ada")
    ada.commit("Ada's models")
    ada.git("push", "-q", "origin", "ada")

    accepted = maintainer.check("ada")
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert (maintainer.folder / "check.xml").is_file()
    maintainer.git("merge", "-q", "submission")
    maintainer.git("push", "-q", "origin", "main")
    built = maintainer.run("sh", "board.sh", "build", tmp_path / "site")
    assert built.returncode == 0, built.stderr
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    for name in ("irm", "mid-side", "mixture", "silence"):
        assert f"ada.{name}:2stems" in index
    assert (tmp_path / "site" / "models" / "ada-mid-side-2stems.html").is_file()

    _a_copy_is_refused(maintainer, ada)
    _a_correction_becomes_history(maintainer, ada, results, tmp_path)


def _a_copy_is_refused(maintainer: Repository, ada: Repository) -> None:
    """Eve hands Ada's numbers in as a model of her own."""
    ada.git("checkout", "-q", "-b", "eve", "origin/ada")
    ada.git("mv", "submissions/ada", "submissions/eve")
    bundle = Bundle(ada.folder / "submissions" / "eve")
    bundle.add_model("mid-side:2stems", "wonder:large", adapter_hash="beef")
    ada.git("checkout", "origin/ada", "--", "submissions/ada")
    ada.commit("My models")
    ada.git("push", "-q", "origin", "eve")
    refused = maintainer.check("eve")
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "wonder:large" in refused.stdout
    assert "equal those of ada.mid-side:2stems" in refused.stdout


def _a_correction_becomes_history(
    maintainer: Repository, ada: Repository, results: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(results, again)
    benchbench.run("mid-side", "folder", root=results.parent / "songs", metrics="usdr,windows",
                   out=again, resume="always", keep_stems="yes", report=False)  # fmt: skip
    ada.git("checkout", "-q", "-b", "again", "origin/ada")
    benchbench.submit(again, ada.folder / "submissions" / "ada", excerpts=2)
    ada.commit("Corrected")
    ada.git("push", "-q", "origin", "again")
    assert maintainer.check("again").returncode == 0
    maintainer.git("merge", "-q", "submission")
    built = maintainer.run("sh", "board.sh", "build", tmp_path / "site")
    assert built.returncode == 0, built.stderr
    history = (tmp_path / "site" / "history.html").read_text(encoding="utf-8")
    assert "ada.mid-side:2stems" in history


@pytest.mark.parametrize(
    "path", [".github/workflows/check.yml", "board.sh", "submissions/a/.gitattributes", "submissions/x",
             "submissions/a b/bundle.json"]
)  # fmt: skip
def test_a_pull_request_may_change_nothing_else(
    board: tuple[Path, Repository], path: str, tmp_path: Path, commands: dict[str, str]
) -> None:
    remote, maintainer = board
    subprocess.run(["git", "clone", "-q", remote, tmp_path / "eve"], check=True, env=commands)
    eve = Repository(tmp_path / "eve", commands)
    eve.git("checkout", "-q", "-b", "eve")
    for name in (path, "submissions/a/bundle.json"):
        (eve.folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (eve.folder / name).open("a") as file:
            file.write("\ntouch owned\n")
    eve.commit("Nothing to see")
    eve.git("push", "-q", "origin", "eve")
    refused = maintainer.check("eve")
    assert refused.returncode == 1
    assert "below submissions/NAME/ only" in refused.stderr
    assert not (maintainer.folder / "owned").exists()


def test_a_link_in_a_submission_is_refused(
    board: tuple[Path, Repository], whole: Path, tmp_path: Path, commands: dict[str, str]
) -> None:
    remote, maintainer = board
    subprocess.run(["git", "clone", "-q", remote, tmp_path / "eve"], check=True, env=commands)
    eve = Repository(tmp_path / "eve", commands)
    eve.git("checkout", "-q", "-b", "eve")
    shutil.copytree(whole, eve.folder / "submissions" / "eve")
    part = next((eve.folder / "submissions" / "eve" / "runs").rglob("run.json"))
    part.unlink()
    part.symlink_to("/etc/passwd")
    eve.commit("A link")
    eve.git("push", "-q", "origin", "eve")
    refused = maintainer.check("eve")
    assert refused.returncode == 5, refused.stdout + refused.stderr
    assert "is a link" in refused.stdout


def test_the_template_is_valid() -> None:
    assert read_rules(TEMPLATE / "board.toml").dataset == "musdb18-hq"
    for name in ("check", "publish"):
        workflow = yaml.safe_load((TEMPLATE / ".github" / "workflows" / f"{name}.yml").read_text())
        assert workflow["permissions"] == {"contents": "read"}
        assert "pull_request_target" not in workflow.get(True, {})
    tool = Path(sys.executable).with_name("check-jsonschema")
    if tool.is_file():
        paths = sorted((TEMPLATE / ".github" / "workflows").glob("*.yml"))
        subprocess.run([tool, "--builtin-schema", "vendor.github-workflows", *paths], check=True)


@pytest.mark.parametrize("name", ["board.sh", "README.md"])
def test_every_command_of_the_template_exists(name: str) -> None:
    text = (TEMPLATE / name).read_text(encoding="utf-8")
    lines = re.findall(r"^\s*bench (\w+)( [^\n#]*)", text, flags=re.MULTILINE)
    assert lines
    for verb, rest in lines:
        known = {flag for parameter in COMMANDS[verb].params for flag in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known
