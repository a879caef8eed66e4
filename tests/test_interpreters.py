"""Environments of adapters: built, shared, recorded, isolated, removed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import benchbench
from benchbench.api.install import install, installed_environments, uninstall
from benchbench.errors import AdapterEnvironmentError
from benchbench.plugins.manifest_schema import Runtime
from benchbench.running.events import Event, Note
from benchbench.separation import environments as interpreters
from benchbench.separation.environments import environment_folder, environments, interpreter
from benchbench.separation.python_discovery import find_python, find_uv, isolated_variables

Make = Callable[..., Path]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"

TELLS_ITS_VERSION = """
import six, sys
print('six', six.__version__, [p for p in sys.path if 'leak' in p])
assert six.__version__ == {version!r}
assert not any('leak' in p for p in sys.path)
return {{s: mixture / 2 for s in self.stems}}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def needing(make_adapter: Make, name: str, version: str, extra: str = "") -> Path:
    body = TELLS_ITS_VERSION.format(version=version)
    place = make_adapter(name, body)
    manifest = place / name / "adapter.toml"
    runtime = (
        f'[runtime]\ninterpreter = "{HERE}"\nrequirements = ["six=={version}"]\nsize_mb = 60\n'
    )
    manifest.write_text(manifest.read_text() + runtime + extra)
    return place


@pytest.mark.network
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_two_adapters_that_contradict_each_other_in_one_run(
    installer: str,
    cache: Path,
    small_songs: Path,
    tmp_path: Path,
    make_adapter: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BENCHBENCH_INSTALLER", installer)
    if installer == "uv" and find_uv() is None:
        pytest.fail("uv is not installed; it is a package of the test environment")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "leak"))
    needing(make_adapter, "older", "1.15.0")
    place = needing(make_adapter, "newer", "1.16.0")
    said: list[Event] = []
    result = benchbench.run(
        ["older", "newer", "mixture"],
        "folder",
        root=small_songs,
        out=tmp_path / "out",
        metrics=["usdr"],
        adapter_paths=[place],
        report=False,
        listener=said.append,
    )
    assert (result.tally.ok, result.tally.failed) == (6, 0)
    facts = json.loads(next((tmp_path / "out").glob("runs/*/run.json")).read_text())
    models = {model["name"]: model["environment"] for model in facts["models"]}
    assert models["older:plain"]["packages"]["six"] == "1.15.0"
    assert models["newer:plain"]["packages"]["six"] == "1.16.0"
    assert models["newer:plain"]["packages"]["numpy"]
    assert models["newer:plain"]["installer"].startswith(installer)
    assert models["mixture:2stems"] is None
    notes = [event.text for event in said if isinstance(event, Note)]
    assert any("six==1.15.0" in note and "60 MB" in note for note in notes)

    found = installed_environments([place])
    assert sorted(each.adapters for each in found) == [("newer",), ("older",)]
    assert uninstall("older", adapter_paths=[place]) > 1e6
    assert [each.adapters for each in installed_environments([place])] == [("newer",)]


@pytest.mark.network
def test_equal_requirements_share_an_environment_and_a_torn_one_is_built_again(
    cache: Path, make_adapter: Make
) -> None:
    needing(make_adapter, "first", "1.16.0")
    place = needing(make_adapter, "second", "1.16.0")
    install("first", adapter_paths=[place])
    said: list[str] = []
    install("second", adapter_paths=[place], tell=said.append)
    assert said == []
    (only,) = installed_environments([place])
    assert only.adapters == ("first", "second")
    assert only.interpreter.folder is not None
    (only.interpreter.folder / interpreters.RECORD).unlink()  # as if the build had been killed
    assert environments() == []
    install("second", adapter_paths=[place], tell=said.append)
    assert len(said) == 1
    uninstall("first", adapter_paths=[place], tell=said.append)
    assert "second" in said[-1]
    assert environments() == []


def test_the_engines_own_interpreter_needs_nothing() -> None:
    found = interpreter(Runtime())
    assert found.python == Path(sys.executable)
    assert found.facts() is None
    assert environment_folder(Runtime()) is None


def test_the_key_follows_what_is_asked_for_and_not_its_order() -> None:
    def folder(version: str, *names: str) -> Path | None:
        return environment_folder(Runtime(version, names))

    assert folder("3.11", "a==1", "b==2") == folder("3.11", "b==2", "a==1")
    assert folder("3.11", "a==1") != folder("3.12", "a==1") != folder("3.12", "a==2")


def test_a_python_that_is_missing_is_asked_for(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_INSTALLER", "pip")
    with pytest.raises(AdapterEnvironmentError, match=r"(?s)Python 3\.4.*python3\.4.*starts it"):
        interpreter(Runtime("3.4", ("six",)))
    with pytest.raises(AdapterEnvironmentError, match="install uv first"):
        interpreter(Runtime("3.4"), download_python=True)


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for a shim")
def test_a_shim_that_does_not_start_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shims, real = tmp_path / "shims", tmp_path / "real"
    for folder, content in ((shims, "exit 127"), (real, f'exec {sys.executable} "$@"')):
        folder.mkdir()
        (folder / f"python{HERE}").write_text(f"#!/bin/sh\n{content}\n")
        (folder / f"python{HERE}").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(shims), str(real)]))
    monkeypatch.setattr("platform.python_version", lambda: "2.7.0")  # this one is no candidate
    assert find_python(HERE) == real / f"python{HERE}"


@pytest.mark.network
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_requirements_that_cannot_be_installed_leave_nothing(
    installer: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_INSTALLER", installer)
    runtime = Runtime(HERE, ("six==0.0.0.1",))
    with pytest.raises(AdapterEnvironmentError, match=r"(?s)install the requirements.*six"):
        interpreter(runtime)
    folder = environment_folder(runtime)
    assert folder is not None
    assert not folder.exists()


def test_nothing_leads_to_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET"):
        monkeypatch.setenv(name, "/elsewhere")
    assert "/elsewhere" not in isolated_variables().values()
