"""The commands and files of the documentation pages are run and written, in order.

A block of commands that cannot be run here has a comment before it that says why:
``<!-- not run: reason -->``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

PROJECT = Path(__file__).resolve().parents[2]
RATE = 44_100
STEMS = ("drums", "bass", "other", "vocals")
PAGES = [
    "README.md",
    *(f"docs/{page.name}" for page in sorted((PROJECT / "docs").glob("*.md"))),
    "docs/ci/README.md",
]
BLOCK = re.compile(r"(<!-- not run: .+? -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACED = {
    "docs/add-a-model.md": {
        "toml": [f"adapters/{name}/adapter.toml" for name in ("half", "theirs", "precious")],
        "python": ["adapters/half/adapter.py"],
    },
    "docs/add-a-data-set.md": {"toml": ["datasets/ours/dataset.toml"]},
    "docs/exchange.md": {"toml": ["lab.toml"]},
}
"""Files that a page shows: where its reader writes them."""

ABSENT = {"docs/ci/README.md": ["results", "baselines/main.parquet"]}
"""What the reader of a page does not have yet."""

pytestmark = [
    pytest.mark.network,  # Spleeter's weights
    pytest.mark.slow,
    pytest.mark.timeout(900),  # README takes a minute or two on an idle machine
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell"),
]


def run(script: str, cwd: Path) -> None:
    """Run a page's commands, with ``bench`` standing for this interpreter's."""
    commands = cwd / ".bin"
    commands.mkdir(exist_ok=True)
    programs = {
        "bench": f'exec "{sys.executable}" -m benchbench "$@"',
        "python": f'exec "{sys.executable}" "$@"',
        "their-separator": 'cp "$1" "$3/vocals.wav"; cp "$1" "$3/accompaniment.wav"',
    }
    for name, script_of_it in programs.items():
        (commands / name).write_text(f"#!/bin/sh\n{script_of_it}\n")
        (commands / name).chmod(0o755)
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=cwd,
        env={
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            # Its reader's home, with the cache of this machine.
            "HOME": str(cwd),
            "BENCHBENCH_CACHE": _cache(),
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, script + done.stdout + done.stderr
    assert "BAD" not in done.stdout, script + done.stdout


def _cache() -> str:
    from benchbench.io.cache import cache_folder

    return str(cache_folder())


@pytest.fixture(scope="module")
def furnished(tmp_path_factory) -> Path:
    """What a reader of the pages has: songs, stems, a stem file, results of a run."""
    home = tmp_path_factory.mktemp("home")
    rng = np.random.default_rng(0)
    fade = np.hanning(3 * RATE)[:, None]
    for song in ("first-song", "second-song"):
        (home / "my-songs" / song).mkdir(parents=True)
        for stem in STEMS:
            audio = 0.1 * fade * rng.standard_normal((3 * RATE, 2))
            soundfile.write(home / "my-songs" / song / f"{stem}.flac", audio, RATE)
        (home / "stems" / song).mkdir(parents=True)
        for stem in ("vocals", "accompaniment"):
            shutil.copy(
                home / "my-songs" / song / "bass.flac", home / "stems" / song / f"{stem}.flac"
            )
    shutil.copytree(home / "my-songs", home / "true")
    shutil.copytree(home / "my-songs", home / "mine")
    shutil.copy(home / "true" / "first-song" / "vocals.flac", home / "song.flac")
    soundfile.write(home / "song.mp3", 0.1 * fade * rng.standard_normal((3 * RATE, 2)), RATE)
    example = Path(find_spec("stempeg").submodule_search_locations[0]) / "data"
    for split in ("train", "test"):
        (home / "data" / "musdb18" / split).mkdir(parents=True)
        shutil.copy(next(example.glob("*.stem.mp4")), home / "data" / "musdb18" / split)
    shutil.copytree(PROJECT / "adapters" / "mixture", home / "adapters" / "mixture")
    shutil.copytree(PROJECT / "adapters" / "mixture", home / "adapters" / "yours")
    manifest = home / "adapters" / "yours" / "adapter.toml"
    manifest.write_text(manifest.read_text().replace('name = "mixture"', 'name = "yours"'))
    shutil.copy(PROJECT / "docs" / "ci" / "example" / "gate.toml", home)
    (home / "baselines").mkdir()
    run(
        "bench run --models spleeter,irm,mixture --limit 2 --metrics standard --keep-stems yes\n"
        "bench gate --baseline baselines/main.parquet --results results --accept\n"
        "cp -r results monday; cp -r results tuesday\n"
        "git init -q . && git config user.email reader@example.org && git config user.name Reader",
        home,
    )
    return home


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work(page: str, furnished: Path, tmp_path: Path) -> None:
    blocks = [
        (language, text)
        for skipped, language, text in BLOCK.findall((PROJECT / page).read_text(encoding="utf-8"))
        if not skipped
    ]
    if not any(language in ("sh", "python") for language, _ in blocks):
        pytest.skip("a page without commands")
    here = tmp_path / "here"
    shutil.copytree(furnished, here, ignore=lambda *_: {".bin"})
    for name in ABSENT.get(page, []):
        shutil.rmtree(here / name) if (here / name).is_dir() else (here / name).unlink()
    places = {language: list(paths) for language, paths in PLACED.get(page, {}).items()}
    for language, text in blocks:
        if places.get(language):
            path = here / places[language].pop(0)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "python":
            (here / "snippet.py").write_text(text, encoding="utf-8")
            run("python snippet.py", here)
        elif language == "sh":
            run(text, here)


def test_a_command_is_a_model_in_ten_lines() -> None:
    page = (PROJECT / "docs" / "add-a-model.md").read_text(encoding="utf-8")
    manifests = [text for _, language, text in BLOCK.findall(page) if language == "toml"]
    (command,) = (text for text in manifests if 'kind = "command"' in text)
    assert len([line for line in command.splitlines() if line.strip()]) <= 10
