"""Weights: the format, damaged files, the shipped file and its hash."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zipformer_keras import VARIANTS, Separator, WeightsError
from zipformer_keras.configuration import Configuration
from zipformer_keras.runtime import build_keras
from zipformer_keras.shapes import weight_shapes
from zipformer_keras.weights import (
    WEIGHTS_FILE,
    assign,
    check,
    collect,
    read_weights,
    write_weights,
)

from benchbench.errors import WeightsError as EngineWeightsError
from benchbench.plugins.catalog import Catalog
from benchbench.separation.weights import ensure_weights

FOLDER = Path(__file__).resolve().parents[3] / "adapters" / "zipformer"
ARRAYS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array(0.5, np.float32)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    for bits in (8, 16, 32):
        write_weights(tmp_path / "w", ARRAYS, {"steps": "3"}, bits=bits)
        arrays, notes = read_weights(tmp_path / "w")
        assert notes == {"steps": "3"}
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], array)
            assert arrays[name].dtype == np.float32


def test_eight_bits_are_within_half_a_step_of_every_number(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    large = rng.standard_normal((3, 40, 50)).astype(np.float32) * np.logspace(-9, 3, 50)
    large[..., 7] = 0.0
    arrays = {"kernel": large.astype(np.float32), "bias": large[0, :, 0], **ARRAYS}
    write_weights(tmp_path / "w", arrays, {}, bits=8)
    read, _ = read_weights(tmp_path / "w")
    assert set(read) == set(arrays)
    step = np.abs(large).max(axis=(0, 1)) / 127
    assert (np.abs(read["kernel"] - large) <= 0.5001 * step).all()
    assert (np.abs(read["kernel"] - large).max(axis=(0, 1))[step > 0] > 0.4 * step[step > 0]).all()
    np.testing.assert_allclose(read["bias"], arrays["bias"], rtol=1e-3, atol=1e-7)
    assert (tmp_path / "w").stat().st_size < 1.2 * large.size


def test_whole_numbers_without_their_scale_are_refused(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", {"kernel": np.ones((64, 64), np.float32)}, {}, bits=8)
    content = (tmp_path / "w").read_bytes()
    (tmp_path / "w").write_bytes(content.replace(b"kernel/scale", b"kernel/other"))
    with pytest.raises(WeightsError, match="damaged"):
        read_weights(tmp_path / "w")


def test_the_format_is_safetensors(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", ARRAYS, {}, bits=32)
    content = (tmp_path / "w").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert length % 8 == 0
    assert header["b"] == {"dtype": "F32", "shape": [2, 3], "data_offsets": [4, 28]}
    np.testing.assert_array_equal(np.frombuffer(content[8 + length + 4 :], "<f4"), np.arange(6))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:5],
        lambda content: content[:-1],
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: content[:8] + b"x" + content[9:],
        lambda content: content.replace(b'"F32"', b'"I64"'),
        lambda content: content.replace(b"[4, 28]", b"[4, 99]"),
        lambda content: content.replace(b"[2, 3]", b"[2,-3]"),
        lambda content: content.replace(b'"dtype"', b'"dtyqe"'),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    write_weights(tmp_path / "w", ARRAYS, {}, bits=32)
    changed = damage((tmp_path / "w").read_bytes())
    (tmp_path / "w").write_bytes(changed)
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "w")


def test_weights_of_another_network_are_refused(
    networks: dict[str, Configuration], make_network: Callable[..., Any]
) -> None:
    network, weights = make_network(networks["offline"])
    assign(network, weights)
    shapes = {name: array.shape for name, array in weights.items()}
    with pytest.raises(WeightsError, match="lack embed/bias_1"):
        check({name: array for name, array in weights.items() if name != "embed/bias_1"}, shapes)
    with pytest.raises(WeightsError, match="this variant has not: they are of another variant"):
        check(weights | {"more": ARRAYS["a"]}, shapes)
    with pytest.raises(WeightsError, match="has the shape"):
        check(weights | {"embed/bias_1": ARRAYS["b"]}, shapes)
    with pytest.raises(WeightsError, match="not finite"):
        check(weights | {"norm/bias": weights["norm/bias"] * np.nan}, shapes)


def test_shapes_are_those_of_the_layers(configuration: Configuration) -> None:
    arrays = collect(build_keras(configuration))
    assert weight_shapes(configuration) == {name: array.shape for name, array in arrays.items()}


def test_the_shipped_weights_are_those_that_the_manifest_names() -> None:
    manifest = tomllib.loads((FOLDER / "adapter.toml").read_text(encoding="utf-8"))
    for name, declared in manifest["weights"].items():
        path = FOLDER / declared["bundled"] / WEIGHTS_FILE
        assert path.stat().st_size < 8_000_000
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert digest == declared["files"][0]["sha256"], name
        Separator.from_folder(name, path.parent)


def test_changed_shipped_weights_are_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "zipformer", ignore=shutil.ignore_patterns("__pycache__"))
    model = Catalog((tmp_path,)).model("zipformer:tiny")
    folder = ensure_weights(model)
    assert folder == tmp_path / "zipformer" / "weights" / "tiny"
    path = folder / WEIGHTS_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(EngineWeightsError, match="ship with zipformer:tiny are damaged"):
        ensure_weights(model)


def test_weights_of_another_variant_do_not_load() -> None:
    with pytest.raises(WeightsError, match="another variant"):
        Separator.from_folder("base", FOLDER / "weights" / "tiny")
    with pytest.raises(ValueError, match="no variant 'huge'"):
        Separator.from_folder("huge", FOLDER / "weights" / "tiny")
    assert "tiny" in VARIANTS
