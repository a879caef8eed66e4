"""What others build on: the action, the container file, schemas of manifests, the citation."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import typer
import yaml

from benchbench.cli import app
from benchbench.comparison.gate import GateConfig
from benchbench.comparison.gate.schema import GateFile

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "docs" / "schemas"
COMMANDS = typer.main.get_command(app).commands
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def generator():
    spec = importlib.util.spec_from_file_location("generate", SCHEMAS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def validator(name):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def test_the_schemas_are_those_of_the_records():
    made = generator()
    for name in made.RECORDS:
        stored = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
        assert stored == made.schema(name), "run python docs/schemas/generate.py"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("adapter", "adapters/*/adapter.toml"), ("dataset", "datasets/*/dataset.toml"), ("metric", "**/metric.toml"), ("gate", "**/gate.toml"), ("board", "**/board.toml")],
)  # fmt: skip
def test_the_schemas_accept_every_shipped_file_and_refuse_a_misspelt_key(name, pattern):
    paths = [path for path in ROOT.glob(pattern) if ".tox" not in path.parts]
    assert paths
    for path in paths:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        validator(name).validate(data)
        with pytest.raises(jsonschema.ValidationError, match="nmae"):
            validator(name).validate({**data, "nmae": "x"})


def test_the_gate_file_has_the_keys_and_defaults_of_the_gate():
    file, config = GateFile(), GateConfig()
    for key in ("profile", "strict", "missing", "alpha", "min_tracks", "coverage"):
        assert getattr(file, key) == getattr(config, key)
    for key in ("tolerance", "tail", "identical"):
        assert getattr(file, key) == getattr(config, key).default
    assert (file.cost.real_time_factor, file.cost.fail) == (
        config.real_time_factor,
        config.cost_fails,
    )
    with pytest.raises(jsonschema.ValidationError):
        validator("gate").validate({"alpha": 2})


def test_the_action_is_valid_and_knows_the_flags():
    check = Path(sys.executable).with_name("check-jsonschema")
    arguments = ["--builtin-schema", "vendor.github-actions", "action.yml"]
    subprocess.run([str(check), *arguments], cwd=ROOT, check=True)
    text = " ".join(step.get("run", "") for step in ACTION["runs"]["steps"])
    for verb, rest in re.findall(r"bench (run|gate)((?:[^\n]|\\\n)*)", text):
        known = {flag for parameter in COMMANDS[verb].params for flag in parameter.opts}
        assert set(re.findall(r"(?<=[ {+])--[\w-]+", rest)) <= known
    named = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text(encoding="utf-8")))
    assert named == set(ACTION["inputs"])


@pytest.mark.skipif(os.name == "nt", reason="the action's steps are bash")
def test_the_steps_of_the_action_run_and_gate(small_songs, tmp_path):
    """The scripts of the action itself, in bash, with the real program."""
    bench = tmp_path / "bin" / "bench"
    bench.parent.mkdir()
    bench.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m benchbench "$@"\n')
    bench.chmod(0o755)
    steps = {step.get("id"): step["run"] for step in ACTION["runs"]["steps"] if step.get("id")}
    environment = {
        **os.environ,
        "PATH": f"{bench.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "MODELS": "mixture", "DATASET": "folder", "METRICS": "usdr", "OUT": "results",
        "ARGUMENTS": f"--root {small_songs} --limit 1", "CONFIG": "",
    }  # fmt: skip
    run(steps["run"], tmp_path, environment)
    assert (tmp_path / "output").read_text() == "report=results/report.html\n"
    assert (tmp_path / "results" / "report.html").is_file()
    baseline = {**environment, "BASELINE": "results"}
    code = run(steps["gate"], tmp_path, baseline, check=False).returncode
    assert f"code={code}\n" in (tmp_path / "output").read_text()
    assert (tmp_path / "results" / "gate.json").is_file()
    assert (tmp_path / "summary.md").stat().st_size > 0
    missing = run(steps["gate"], tmp_path, {**environment, "BASELINE": "none.parquet"}, check=False)
    assert missing.returncode not in (0, 1)


def run(script, place, environment, *, check=True):
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=place, env=environment, check=check)


def test_the_container_is_linted_and_its_context_makes_the_wheel(tmp_path):
    hadolint = Path(sys.executable).with_name("hadolint")
    assert hadolint.is_file()
    subprocess.run([str(hadolint), "Containerfile"], cwd=ROOT, check=True)
    words = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().split()
        if line[0] == "!"
    ]
    context = tmp_path / "context"
    context.mkdir()
    skipped = shutil.ignore_patterns("__pycache__", "*.onnx", "*.safetensors")
    for word in words:
        source = ROOT / word
        if source.is_dir():
            shutil.copytree(source, context / word, ignore=skipped)
        else:
            shutil.copy2(source, context / word)
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert copied == set(words)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run([*build, str(context)], check=True, capture_output=True)
    assert list(tmp_path.glob("benchbench_audio-*.whl"))


def test_the_container_runs_and_is_small():
    engine = next((name for name in ("docker", "podman") if works(name)), None)
    if engine is None:
        pytest.skip("neither docker nor podman answers")
    build = [engine, "build", "--file", "Containerfile", "--tag", "benchbench-test", "."]
    subprocess.run(build, cwd=ROOT, check=True)
    shown = subprocess.run(
        [engine, "run", "--rm", "benchbench-test", "list", "models"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "zipformer" in shown.stdout
    size = [engine, "image", "inspect", "--format", "{{.Size}}", "benchbench-test"]
    assert int(subprocess.run(size, check=True, capture_output=True, text=True).stdout) <= 1.2e9


def works(engine):
    if shutil.which(engine) is None:
        return False
    return subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


def test_the_pages_explain_the_cache_and_the_configuration_file():
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for word in ("BENCHBENCH_CACHE", "--config", "BENCHBENCH_INSTALLER"):
        assert word in text
    (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    for verb, flags in tomllib.loads(toml).items():
        known = {parameter.name for parameter in COMMANDS[verb].params}
        assert {flag.replace("-", "_") for flag in flags} <= known
