"""Read commit and changes of a git repository without running programs that it configures.

A repository's own ``.git/config`` may name programs (``core.fsmonitor``, filters, hooks) that git
runs to compute a status. So git runs with a separate, temporary configuration folder, and reads
only the objects and the index of the repository.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchbench.io.plain_files import read_plain
from benchbench.io.processes.scratch import scratch_folder

__all__ = ["git_state"]

_SMALL = 1 << 20
_PACKED = 64 << 20
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REFERENCE = re.compile(r"refs/[\w./-]+")
_PATIENCE_S = 20.0


def git_state(folder: Path) -> dict[str, Any] | None:
    """The commit of the repository that holds `folder`, and whether it has changes.

    Returns
    -------
    ``sha`` and ``dirty``; `dirty` is None where git is missing or does not answer. None outside a
    repository, or before its first commit.
    """
    try:
        top, git = _repository(folder.resolve())
        common = _common(git)
        sha = _head(git, common)
    except (OSError, ValueError, LookupError):
        return None
    try:
        dirty = _is_dirty(top, git, common, sha)
    except OSError:  # no disk space for a copy of the index
        dirty = None
    return {"sha": sha, "dirty": dirty}


def _repository(folder: Path) -> tuple[Path, Path]:
    """The top folder of the working tree, and its git folder."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.is_dir():
            return place, git
        if git.is_file():  # a linked working tree, or a submodule
            text = _text(git)
            return place, (place / text.removeprefix("gitdir:").strip()).resolve()
    raise LookupError


def _common(git: Path) -> Path:
    """The folder of objects and references, which linked working trees share with the main one."""
    pointer = git / "commondir"
    return (git / _text(pointer)).resolve() if pointer.is_file() else git


def _head(git: Path, common: Path) -> str:
    head = _text(git / "HEAD")
    if not head.startswith("ref:"):
        return _required_sha(head)
    name = head.removeprefix("ref:").strip()
    if not _REFERENCE.fullmatch(name) or ".." in name:
        raise ValueError(name)
    for place in (git, common):
        if (place / name).is_file():
            return _required_sha(_text(place / name))
    packed = read_plain(common / "packed-refs", _PACKED).decode("utf-8", "replace")
    lines = (line.partition(" ") for line in packed.splitlines())
    return _required_sha(next(sha for sha, _, reference in lines if reference == name))


def _text(path: Path) -> str:
    return read_plain(path, _SMALL).decode("utf-8", "replace").strip()


def _required_sha(text: str) -> str:
    if not _SHA.fullmatch(text):
        raise ValueError(text[:80])
    return text


def _is_dirty(top: Path, git: Path, common: Path, sha: str) -> bool | None:
    program = shutil.which("git")
    if program is None or not Path(program).is_absolute():
        return None
    with scratch_folder() as own:
        for name in ("objects", "refs"):
            (own / name).mkdir()
        sha256 = len(sha) == 64
        (own / "config").write_text(
            f"[core]\nrepositoryformatversion = {int(sha256)}\nbare = false\nfsmonitor = false\n"
            + ("[extensions]\nobjectFormat = sha256\n" if sha256 else ""),
            encoding="utf-8",
        )
        (own / "HEAD").write_text(sha + "\n", encoding="utf-8")
        if (git / "index").is_file():
            shutil.copyfile(git / "index", own / "index", follow_symlinks=False)
        command = [
            program, "--no-optional-locks", "-c", "core.hooksPath=" + os.devnull,
            "status", "--porcelain", "--ignore-submodules=all",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, check=False, timeout=_PATIENCE_S, cwd=top,
                env=_variables(own, top, common),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None


def _variables(own: Path, top: Path, common: Path) -> dict[str, str]:
    """The environment for git: only our configuration, and no external programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_DIR": str(own),
        "GIT_WORK_TREE": str(top),
        "GIT_OBJECT_DIRECTORY": str(common / "objects"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
