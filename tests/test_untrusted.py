"""Reading an untrusted file gives a value or a clear error.

Files are made by mutating good ones, because random bytes seldom pass the first check. An
exception of another kind, a hang or a file outside its folder fails.
"""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import tempfile
import tokenize
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import soundfile
import typer.main
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import benchbench
from benchbench.cli import app
from benchbench.cli.run_summary import summary
from benchbench.comparison.gate.config import read_gate_config
from benchbench.errors import BenchbenchError
from benchbench.io.archive import extract
from benchbench.io.audio.audio_files import read
from benchbench.plugins.manifest import read_adapter, read_dataset
from benchbench.results.compaction import compact
from benchbench.results.integrity import damaged_parts, damaged_runs
from benchbench.results.schema import SCORES
from benchbench.results.store import Results
from benchbench.separation.weights import weights_hash

FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ROOT = Path(__file__).parents[1]
CONTEXT = click.Context(typer.main.get_command(app))
MANIFESTS = sorted([*ROOT.glob("adapters/*/adapter.toml"), *ROOT.glob("datasets/*/dataset.toml")])


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with some bytes changed, some taken out, some put in, or its end cut off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(0, 8))
        content[at : at + length] = draw(st.binary(max_size=8))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


def harmless(action: Callable[..., Any], *arguments: Any) -> Any:
    """The action's value, or None after an error that was meant for the reader."""
    try:
        return action(*arguments)
    except BenchbenchError:
        return None


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_manifests(path: Path, tmp_path: Path) -> None:
    target = tmp_path / path.name
    reader: Callable[[Path], Any] = read_adapter if path.name == "adapter.toml" else read_dataset

    @settings(FUZZ, max_examples=40)
    @given(mutated(path.read_bytes()))
    def check(content: bytes) -> None:
        target.write_bytes(content)
        harmless(reader, target)

    check()


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(), st.text(max_size=8)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc-_.", min_size=1, max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["run", "gate", "models", "jobs", "rules", "metric", "protocol", "default", "x"]
)


def toml(values: dict[str, Any]) -> str:
    """A table as TOML: JSON's values are TOML's inside arrays and strings."""

    def value(item: Any) -> str:
        if isinstance(item, dict):
            inner = ", ".join(f"{json.dumps(k)} = {value(v)}" for k, v in item.items())
            return f"{{{inner}}}"
        if isinstance(item, list):
            return f"[{', '.join(map(value, item))}]"
        if isinstance(item, float):
            return repr(item)
        return json.dumps(item)

    return "".join(f"{json.dumps(key)} = {value(item)}\n" for key, item in values.items())


@FUZZ
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_configuration_files(values: dict[str, Any]) -> None:
    from benchbench.cli.config import read_config

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "bench.toml"
        path.write_text(toml(values), encoding="utf-8")
        harmless(read_config, path, CONTEXT)
        harmless(read_gate_config, path)


def sound(form: str, subtype: str) -> bytes:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (300, 2))
    file = io.BytesIO()
    soundfile.write(file, noise, 8000, subtype, format=form)
    return file.getvalue()


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        ("WAV", "FLOAT"),
        ("WAV", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("CAF", "PCM_16"),
        ("W64", "FLOAT"),
        ("AIFF", "PCM_16"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_audio_headers(form: str, subtype: str, tmp_path: Path) -> None:
    target = tmp_path / f"sound.{form.lower()}"

    @settings(FUZZ, max_examples=60)
    @given(mutated(sound(form, subtype)))
    def check(content: bytes) -> None:
        target.write_bytes(content)
        found = harmless(read, target)
        if found is not None:
            audio, rate = found
            assert np.isfinite(audio).all()
            assert rate > 0

    check()


def stored(root: Path) -> Results:
    results = Results(root)
    row: dict[str, object] = dict.fromkeys(SCORES.names)
    row |= {
        "cell_id": "c", "run_id": "r", "model": "silence:2stems", "dataset": "d", "track": "t",
        "target": "vocals", "reference_set": "vocals+accompaniment", "protocol": "usdr",
        "metric": "SDR", "metric_version": 1, "value": 1.5,
    }  # fmt: skip
    import pyarrow as pa

    for cell in "cde":
        table = pa.Table.from_pylist([row | {"cell_id": cell, "track": cell}], SCORES)
        results.write_scores(cell, "silence:2stems", "d", table)
    results.write_run("r", {"run_id": "r", "started": "2026-01-01T00:00:00+00:00"})
    return results


@pytest.mark.parametrize("state", ["loose", "compacted"])
def test_results_folders(state: str, tmp_path: Path) -> None:
    results = stored(tmp_path)
    if state == "compacted":
        compact(results)
    parts = [path for path in tmp_path.rglob("*.parquet") if "scores" in path.parts]
    run = tmp_path / "runs" / "r" / "run.json"
    whole = {path: path.read_bytes() for path in (parts[0], run)}

    @settings(FUZZ, max_examples=60)
    @given(mutated(whole[parts[0]]), mutated(whole[run]))
    def check(part: bytes, facts: bytes) -> None:
        parts[0].write_bytes(part)
        run.write_bytes(facts)
        for action in (
            lambda: summary(results, models=["silence"], dataset="d"),
            lambda: results.scores(),
            lambda: results.runs(),
            lambda: list(damaged_parts(tmp_path, "scores")),
            lambda: list(damaged_runs(tmp_path)),
            lambda: list(benchbench.doctor(str(tmp_path))),
        ):
            harmless(action)

    check()


NAMES = st.one_of(
    st.text("ab./\\:~\x00é", min_size=1, max_size=12),
    st.sampled_from(
        ["../x", "/etc/x", "a/../../x", "C:\\x", "..\\x", "a//b", "./a", "a/./b", "~/x"]
    ),
)


@FUZZ
@given(
    st.lists(
        st.tuples(NAMES, st.binary(max_size=20)),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one[0],
    ),
    st.booleans(),
)
def test_archives_write_nothing_outside(members: list[tuple[str, bytes]], zipped: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        archive, target = Path(place) / "archive", Path(place) / "inside" / "target"
        target.mkdir(parents=True)
        file = io.BytesIO()
        if zipped:
            with zipfile.ZipFile(file, "w") as bundle:
                for name, content in members:
                    bundle.writestr(zipfile.ZipInfo(name or "x"), content)
        else:
            with tarfile.open(fileobj=file, mode="w") as tar:
                for name, content in members:
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
        archive.write_bytes(file.getvalue())
        harmless(extract, archive, target)
        outside = [
            path
            for path in Path(place).rglob("*")
            if path not in (archive, target, target.parent) and not path.is_relative_to(target)
        ]
        assert not outside


@settings(FUZZ, max_examples=60)
@given(st.data())
def test_damaged_archives(data: st.DataObject) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        entry = tarfile.TarInfo("model/weights")
        entry.size = 100
        tar.addfile(entry, io.BytesIO(bytes(100)))
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("model/weights", bytes(100))
    whole = data.draw(st.sampled_from([file.getvalue(), bundle.getvalue()]))
    with tempfile.TemporaryDirectory() as place:
        archive, target = Path(place) / "archive", Path(place) / "target"
        target.mkdir()
        archive.write_bytes(data.draw(mutated(whole)))
        harmless(extract, archive, target)


def test_nothing_is_unpickled() -> None:
    """No module of ours loads pickles; NumPy files are read with ``allow_pickle`` off."""
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for path in [*ROOT.glob("benchbench/**/*.py"), *ROOT.glob("adapters/**/*.py")]:
        with path.open("rb") as file:
            tokens = [token.string for token in tokenize.tokenize(file.readline)]
        assert not banned & set(tokens), path
        assert "allow_pickle=True" not in "".join(tokens), path


class Trap:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_weights_that_are_a_trap_do_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("model.safetensors", "checkpoint", "model.index", "model.npz", "weights.pt"):
        (folder / name).write_bytes(pickle.dumps(Trap(mark)))
    harmless(weights_hash, folder)
    from benchbench.plugins.catalog import Catalog
    from benchbench.running.machine import processors
    from benchbench.separation.model_setup import prepare_models

    model = Catalog().model("spleeter:2stems")
    setup = harmless(prepare_models, [model], folder, "cpu", {}, processors(), lambda _: None)
    if setup is not None:
        from benchbench.io.audio.raw_audio import write_raw
        from benchbench.separation.separator import Limits, WorkerSeparator

        noise = write_raw(tmp_path / "noise.f32", [np.zeros((2, 44100), np.float32)])
        with WorkerSeparator(setup[model.name], Limits(), tmp_path / "log") as worker:
            assert worker.separate(noise, 44100, tmp_path).status == "failed"
    assert not mark.exists()
