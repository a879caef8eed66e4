"""Oracles work block by block, and a block comes out as from the whole signal."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def adapter_module(name: str) -> ModuleType:
    path = ROOT / "adapters" / name / "adapter.py"
    spec = importlib.util.spec_from_file_location(f"{name}_adapter", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["irm", "ibm"])
@pytest.mark.parametrize("samples", [0, 700, 8192, 40_000, 50_001])
def test_blocks_come_out_as_from_the_whole(
    name: str, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = adapter_module(name)
    rng = np.random.default_rng(0)
    references = {
        stem: rng.standard_normal((2, samples)).astype(np.float32)
        for stem in ("vocals", "drums", "bass", "other")
    }
    mixture = np.sum(list(references.values()), axis=0, dtype=np.float32)
    adapter = module.Adapter()
    adapter.load("2stems", weights=None, device="cpu", options={})
    (whole,) = adapter.separate(mixture, 44100, references)
    monkeypatch.setattr(module, "BLOCK", 8192)
    blocks = list(adapter.separate(mixture, 44100, references))
    assert len(blocks) == max(1, -(-samples // 8192))
    for stem, expected in whole.items():
        joined = np.concatenate([block[stem] for block in blocks], axis=1)
        np.testing.assert_allclose(joined, expected, atol=2e-6)
