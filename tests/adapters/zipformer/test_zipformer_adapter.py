"""The adapter as the engine starts it: manifest, options, stream, training by `bench train`."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from zipformer_keras import VARIANTS

from benchbench.api.train import train

FOLDER = Path(__file__).resolve().parents[3] / "adapters" / "zipformer"
RATE = 44_100


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("zipformer_adapter", FOLDER / "adapter.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_the_manifest_names_the_variants_and_stems_of_the_code() -> None:
    manifest = tomllib.loads((FOLDER / "adapter.toml").read_text(encoding="utf-8"))
    assert {name: tuple(v["stems"]) for name, v in manifest["variants"].items()} == {
        name: configuration.stems for name, configuration in VARIANTS.items()
    }
    assert {name for name, v in manifest["variants"].items() if v.get("live")} == {
        name for name, configuration in VARIANTS.items() if configuration.chunk is not None
    }


def test_the_shipped_weights_separate(module: ModuleType) -> None:
    adapter = module.Adapter()
    adapter.load("tiny", FOLDER / "weights" / "tiny", "cpu", {})
    assert adapter.parameters == 2_908_965
    song = (np.random.default_rng(0).standard_normal((2, RATE)) / 10).astype(np.float32)
    blocks = list(adapter.separate(song, RATE))
    joined = {s: np.concatenate([b[s] for b in blocks], axis=1) for s in VARIANTS["tiny"].stems}
    np.testing.assert_allclose(sum(joined.values()), song, atol=1e-5)
    with pytest.raises(ValueError, match="cannot run live"):
        next(adapter.stream([song], RATE))


def test_weights_and_options_are_asked_for(module: ModuleType) -> None:
    with pytest.raises(ValueError, match="No weights of 'base-live' are shipped"):
        module.Adapter().load("base-live", None, "cpu", {})
    with pytest.raises(ValueError, match="no option 'mwf'"):
        module.Adapter().load("tiny", FOLDER / "weights" / "tiny", "cpu", {"mwf": True})


def test_bench_train_starts_from_the_shipped_weights(tmp_path: Path, small_songs: Path) -> None:
    """Validated by the engine's SI-SDR; a second call finds nothing left to do."""
    told: list[str] = []
    options = {"steps": 2, "batch_size": 1, "frames": 16, "warmup": 1, "learning_rate": 1e-5,
               "average": 0.1, "logs": False}  # fmt: skip
    for _ in range(2):
        folder = train("zipformer:tiny", "folder", root=small_songs, out=tmp_path / "run",
                       validation=["second"], weights=FOLDER / "weights" / "tiny",
                       options=options, tell=told.append)  # fmt: skip
    assert (folder / "zipformer.safetensors").is_file()
    lines = [line for line in told if line.startswith("step 2 of 2")]
    assert len(lines) == 1
    assert "SI-SDR gain in dB: " in lines[0]
