"""The examples for continuous integration: files that are read, words that the program knows."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from benchbench.cli import app
from benchbench.comparison.gate import GateConfig, read_gate_config

EXAMPLE = Path(__file__).parents[1] / "docs" / "ci" / "example"
COMMANDS = typer.main.get_command(app).commands


def test_the_example_configuration_is_read():
    config = read_gate_config(EXAMPLE / "gate.toml")
    assert config.tolerance.of("bsseval-v4", "SIR") == 0.3
    assert config.protocols == ("usdr", "bsseval-v4")
    default = GateConfig()
    for name in ("profile", "strict", "missing", "alpha", "min_tracks", "coverage", "memory"):
        assert getattr(config, name) == getattr(default, name)


@pytest.mark.parametrize(
    "path",
    [".github/workflows/separation.yml", ".gitlab-ci.yml", "../README.md"],
)
def test_every_command_in_the_examples_exists(path):
    text = (EXAMPLE / path).read_text(encoding="utf-8")
    text = re.sub(r"\\\n\s*|\n\s+(?=--)", " ", text)
    lines = re.findall(r"^[^#|`]*?\bbench (\w+)( [^\n#]*)", text, flags=re.MULTILINE)
    assert lines
    for verb, rest in lines:
        known = {flag for parameter in COMMANDS[verb].params for flag in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known


def test_the_workflows_are_yaml():
    workflow = yaml.safe_load((EXAMPLE / ".github/workflows/separation.yml").read_text())
    assert set(workflow["jobs"]) == {"gate", "publish"}
    assert workflow["permissions"] == {"contents": "read"}
    assert yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text())["separation"]["script"]
