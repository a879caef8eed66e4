"""A stranger's folder as the working directory: what lies in it runs only when it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import tones, write_track
from tests.hostile.conftest import bench, one_clear_error, write_results

CODE = """
from pathlib import Path
Path({canary!r}).touch()
class Adapter:
    def load(self, variant, weights, device, options):
        self.stems = ("vocals", "accompaniment")
    def separate(self, mixture, sample_rate):
        return {{stem: mixture / 2 for stem in self.stems}}
def prepare(folder): folder.mkdir()
def tracks(root, split): return []
def train(*_, **__): raise ValueError
class Metric:
    def load(self, *_): pass
    def measure(self, *_): return {{"X": 1.0}}
"""
ADAPTER = """
name = "{name}"
summary = "a stranger's"
default_variant = "plain"
[licence]
code = "MIT"
[variants.plain]
stems = ["vocals", "accompaniment"]
"""
DATASET = """
name = "{name}"
summary = "a stranger's"
layout = "generated"
version = 1
stems = ["vocals"]
[licence]
name = "MIT"
notice = "a stranger's"
"""
METRIC = """
name = "{name}"
version = 1
summary = "a stranger's"
good_for = "nothing"
misleads = "always"
source = "nobody"
[licence]
code = "MIT"
[metrics.X]
unit = "dB"
low = 0.0
high = 1.0
direction = "higher"
"""
PLUGINS = {
    "adapters": ("adapter", ADAPTER, ("theirs", "irm", "spleeter", "mixture")),
    "datasets": ("loader", DATASET, ("their-songs", "demo", "folder")),
    "metrics": ("metric", METRIC, ("their-metric", "visqol")),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with plug-ins that leave a canary wherever they run, and results."""
    place = tmp_path / "theirs"
    code = CODE.format(canary=str(place / "canary"))
    for kind, (program, manifest, names) in PLUGINS.items():
        for name in names:
            plugin = place / kind / name
            plugin.mkdir(parents=True)
            file = {"loader": "dataset"}.get(program, program)
            (plugin / f"{file}.toml").write_text(manifest.format(name=name))
            for module in (program, "train", "__init__", "conftest"):
                (plugin / f"{module}.py").write_text(code)
        (place / kind / "__init__.py").write_text(code)
    for name in ("benchbench", "sitecustomize", "numpy", "typer", "random"):
        (place / f"{name}.py").write_text(code)
    write_results(place / "results", tracks=6)
    for song in ("a", "b"):
        write_track(place / "songs" / song, tones(1.0))
    return place


LOOKING = [
    "list models", "list datasets", "list metrics", "list runs", "show irm", "show theirs",
    "show demo", "show their-songs", "show visqol", "show their-metric", "show r0",
    "report results --out page.html", "compare results results", "export results --out scores.csv",
    "compact results", "doctor results", "doctor", "gate --results results --baseline b.parquet --accept",
    "show ./irm", "show ./their-metric",
]  # fmt: skip


QUICK = ("list models", "show theirs", "report results --out page.html", "compare results results")


@pytest.mark.parametrize(
    "words",
    [pytest.param(words, marks=[] if words in QUICK else pytest.mark.slow) for words in LOOKING],
)
def test_looking_runs_nothing_of_the_folder(folder: Path, words: str) -> None:
    done = bench(*words.split(), cwd=folder)
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    assert not (folder / "canary").exists(), words


def run(folder: Path, model: str, dataset: str = "folder", metric: str = "usdr") -> str:
    root = ["--root", folder / "songs"] if dataset == "folder" else []
    done = bench(
        "run", "--models", model, "--dataset", dataset, "--metrics", metric, *root, "--no-report",
        "--limit", 1, "--out", folder / "out", cwd=folder,
        environment={"BENCHBENCH_CACHE": str(folder / "cache")},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return done.stderr


@pytest.mark.slow
def test_a_shipped_name_is_the_shipped_plug_in_and_the_other_one_is_named(folder: Path) -> None:
    said = run(folder, "irm")
    assert not (folder / "canary").exists()
    assert (
        "irm is the shipped one. To use adapters/irm of the working directory, write ./irm" in said
    )
    assert "folder is the shipped one. To use datasets/folder" in said


@pytest.mark.slow
@pytest.mark.parametrize("model", ["theirs", "./theirs", "./irm", "./adapters/irm", "./irm:plain"])
def test_a_plug_in_of_the_folder_runs_when_it_is_asked_for(folder: Path, model: str) -> None:
    said = run(folder, model)
    assert (folder / "canary").exists()
    if "adapters" not in model:
        assert "runs the code in adapters/" in said


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "metric"), [("./demo", "usdr"), ("folder", "./visqol")])
def test_data_sets_and_metrics_too(folder: Path, dataset: str, metric: str) -> None:
    said = run(folder, "silence", dataset, metric)
    assert (folder / "canary").exists()
    assert "of the working directory" in said


def test_a_path_without_a_manifest_is_an_unknown_name(folder: Path) -> None:
    one_clear_error(bench("run", "--models", "./nobody", cwd=folder), 2, "Unknown model './nobody'")
    one_clear_error(
        bench("run", "--models", "irm", "--metrics", "./nobody", cwd=folder),
        2,
        "holds no metric.toml",
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a=" + "[" * 100_000,
        "a=" + "{a=" * 100_000,
        "a=" + "9" * 100_000,
        "a." * 50_000 + "a=1",
        '"a".' * 50_000 + "a=1",
        "name = 1979-05-27",
        "name = inf",
        "[[variants]]\n" * 1000,
        "name = '" + "x" * 2_000_000 + "'",
        "\0",
        "name = '\x1b]0;title\x07'",
        "",
    ],
    ids=range(12),
)
def test_a_bomb_of_toml_is_one_error_and_other_plug_ins_work(folder: Path, text: str) -> None:
    for kind, (program, _, _) in PLUGINS.items():
        plugin = folder / kind / "bomb"
        plugin.mkdir()
        file = {"loader": "dataset"}.get(program, program)
        (plugin / f"{file}.toml").write_text(text)
    (folder / "bench.toml").write_text(text or "a")
    (folder / "gate.toml").write_text(text or "a")
    one_clear_error(bench("show", "bomb", cwd=folder, timeout=30), 2, "bomb/adapter.toml")
    one_clear_error(bench("--config", "bench.toml", "list", "models", cwd=folder, timeout=30), 2)
    gate = ["gate", "--results", "results", "--baseline", "results", "--config", "gate.toml"]
    one_clear_error(bench(*gate, cwd=folder, timeout=30), 2, "gate.toml")
    listed = bench("list", "metrics", cwd=folder)
    assert listed.returncode == 0, listed.stderr[-1000:]
    assert "usdr" in listed.stdout
    assert bench("show", "usdr", cwd=folder).returncode == 0
