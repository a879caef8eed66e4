"""Every way of installing finds the plug-in folders: wheel, sdist, ``pip install .``, editable.

Each goes into an environment of its own that sees the packages of this one, so nothing but
benchbench itself is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "benchbench",
    "adapters",
    "datasets",
    "metrics",
    "reports",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)

CHECK = """
import benchbench, pathlib, sys
from benchbench.plugins.bundled import folder
from benchbench.plugins.catalog import Catalog
assert {"spleeter", "irm", "mixture"} <= set(Catalog().adapter_names())
assert {"demo", "musdb18"} <= set(Catalog().dataset_names())
assert folder("reports").is_dir()
print(folder("adapters"))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of the project."""
    copy = tmp_path_factory.mktemp("project")
    for name in FOLDERS:
        path = PROJECT / name
        if path.is_dir():
            shutil.copytree(path, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, copy / name)
    return copy


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source))
    return out


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(place: Path) -> Path:
    """A virtual environment that also sees this one's packages, after its own."""
    run(sys.executable, "-m", "venv", "--without-pip", str(place))
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    own = run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(own) / "outer.pth").write_text(sysconfig.get_path("purelib"))
    return python


def install(python: Path, *what: str) -> None:
    run(
        sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
        "--no-build-isolation", "--disable-pip-version-check", "--ignore-installed", *what,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("way", ["wheel", "sdist", "folder", "editable"])
def test_installed_in_every_way_it_finds_its_plugins(
    way: str, source: Path, built: Path, tmp_path: Path
) -> None:
    python = environment(tmp_path / "env")
    wheel, sdist = next(built.glob("*.whl")), next(built.glob("*.tar.gz"))
    what = {
        "wheel": [str(wheel)],
        "sdist": [str(sdist)],
        "folder": [str(source)],
        "editable": ["--editable", str(source)],
    }[way]
    install(python, *what)
    place = Path(run(str(python), "-c", CHECK, cwd=tmp_path).strip())
    inside = source if way == "editable" else tmp_path / "env"
    assert place.resolve().is_relative_to(inside.resolve())
    assert "Separate and score" in run(str(python), "-m", "benchbench", "--help", cwd=tmp_path)


def test_the_wheel_holds_the_plugins_and_no_package_named_datasets(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert "benchbench/_bundled/adapters/spleeter/adapter.toml" in names
    assert "benchbench/_bundled/datasets/synth/loader.py" in names
    assert any(name.startswith("benchbench/_bundled/reports/templates/") for name in names)
    assert "benchbench/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert tops <= {"benchbench", *(top for top in tops if top.endswith(".dist-info"))}


def test_the_sdist_can_be_built_from(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert {"adapters/spleeter/adapter.toml", "reports/templates", "pyproject.toml"} & names
    assert "adapters/spleeter/adapter.toml" in names


def test_plugin_folders_are_no_packages() -> None:
    for name in ("adapters", "datasets", "reports"):
        assert not (PROJECT / name / "__init__.py").exists()
