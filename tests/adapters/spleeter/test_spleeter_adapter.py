"""The adapter as the worker uses it: by path, in a separate interpreter."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from spleeter_keras.architecture import VARIANTS, variable_shapes
from spleeter_keras.checkpoint import write_checkpoint

FOLDER = Path(__file__).resolve().parents[3] / "adapters" / "spleeter"
PROGRAM = """
import importlib.util, pathlib, sys
import numpy as np
folder, weights = sys.argv[1:]
sys.path.insert(0, folder)
spec = importlib.util.spec_from_file_location("adapter", folder + "/adapter.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
adapter = module.Adapter()
try:
    adapter.load("2stems", pathlib.Path(weights), "cpu", {"pitch": 1})
except ValueError as error:
    print(error)
adapter.load("2stems", pathlib.Path(weights), "cpu", {"mwf": False})
mixture = np.random.default_rng(0).standard_normal((2, 530_000)).astype(np.float32)
blocks = list(adapter.separate(mixture, 44_100))
print(adapter.parameters, sorted(blocks[0]), sum(b["vocals"].shape[1] for b in blocks))
print(all(b[stem].dtype == np.float32 for b in blocks for stem in b))
"""


def test_it_runs_isolated_from_its_folder(tmp_path):
    weights = {
        name: np.full(shape, 0.01, np.float32)
        for name, shape in variable_shapes(VARIANTS["2stems"]).items()
    }
    write_checkpoint(tmp_path, weights)
    finished = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, str(FOLDER), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        "Spleeter has no option 'pitch'; it has mwf, mask_extension, runtime.",
        "19653518 ['accompaniment', 'vocals'] 530000",
        "True",
    ]


def test_the_manifest_names_the_variants_and_stems_of_the_code():
    manifest = tomllib.loads((FOLDER / "adapter.toml").read_text(encoding="utf-8"))
    assert {name: tuple(v["stems"]) for name, v in manifest["variants"].items()} == {
        name: configuration.stems for name, configuration in VARIANTS.items()
    }
    assert {v["weights"] for v in manifest["variants"].values()} == set(manifest["weights"])
    assert manifest["default_variant"] in VARIANTS


def test_weights_and_kinds_of_options_are_asked_for(tmp_path):
    spec = importlib.util.spec_from_file_location("spleeter_adapter", FOLDER / "adapter.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(ValueError, match="needs the folder of its weights"):
        module.Adapter().load("2stems", None, "auto", {})
    with pytest.raises(ValueError, match="mwf must be true or false, not 'yes'"):
        module.Adapter().load("2stems", tmp_path, "auto", {"mwf": "yes"})
