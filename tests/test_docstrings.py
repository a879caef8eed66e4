"""Every example in a docstring runs and shows what it says, in a folder of small songs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench

FUNCTIONS = (
    "run", "compare", "report", "export", "doctor", "verify", "gate", "compact", "score", "separate",
    "import_results", "install", "train", "adapt", "new", "submit", "check",
)  # fmt: skip
"""In an order in which each finds what it reads: `run` writes the results."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``songs/`` and ``estimates/`` of two tracks, and a folder as museval writes one."""
    place = tmp_path_factory.mktemp("examples")
    rng = np.random.default_rng(0)
    for track, seconds in (("first", 2.0), ("second", 1.5)):
        time = np.arange(int(seconds * 44100)) / 44100
        for stem, hertz in (("vocals", 440), ("drums", 900), ("bass", 80), ("other", 300)):
            audio = np.tile(np.sin(2 * np.pi * hertz * time) / 10, (2, 1)).T
            audio += rng.standard_normal(audio.shape) / 100
            for root, noise in (("songs", 0.0), ("estimates", 0.01)):
                path = place / root / track / f"{stem}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, audio + noise * rng.standard_normal(audio.shape), 44100)
    (place / "museval-scores").mkdir()
    for track in ("A - One", "B - Two"):
        frames = [{"time": float(t), "duration": 1.0, "metrics": {"SDR": 5.0 + t, "SIR": 9.0,
                   "ISR": 8.0, "SAR": 6.0}} for t in range(3)]  # fmt: skip
        scores = {"targets": [{"name": "vocals", "frames": frames}]}
        (place / "museval-scores" / f"{track}.json").write_text(json.dumps(scores))
    return place


def check(test: doctest.DocTest) -> None:
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_example_of_every_public_function_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    public = {name for name in benchbench.__all__ if inspect.isfunction(getattr(benchbench, name))}
    assert public <= set(FUNCTIONS)
    for name in FUNCTIONS:
        text = inspect.getdoc(getattr(benchbench, name)) or ""
        assert ">>>" in text, name
        check(doctest.DocTestParser().get_doctest(text, {}, f"benchbench.{name}", None, 0))


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(benchbench.__path__, "benchbench."):
        if ".executors.dask" not in found.name and not found.name.endswith(
            (".__main__", ".worker", ".command_adapter")
        ):
            yield found.name


def test_the_examples_of_all_modules_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    public = {getattr(benchbench, name) for name in FUNCTIONS}
    finder, ran = doctest.DocTestFinder(exclude_empty=True), 0
    for name in modules():
        module = importlib.import_module(name)
        skipped = {f"{name}.{one.__name__}" for one in public if one.__module__ == name}
        for test in finder.find(module, name):
            if test.examples and test.name not in skipped:
                check(test)
                ran += 1
    assert ran > 20
