"""Weights of strangers: one error each; nothing in them runs, unpacks without bound or reads elsewhere."""

from __future__ import annotations

import importlib
import io
import json
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchbench.errors import WeightsError
from benchbench.plugins.catalog import Catalog
from benchbench.separation.weight_files import require_plain_weights
from benchbench.separation.weights import ensure_weights
from tests.hostile.conftest import ROOT

sys.path.insert(0, str(ROOT / "adapters" / "spleeter"))
bundles = importlib.import_module("spleeter_keras.tensor_bundle")
sys.path.pop(0)
sys.path.insert(0, str(ROOT / "adapters" / "zipformer"))
zipformer = importlib.import_module("zipformer_keras.weights")
sys.path.pop(0)


class Bomb:
    """A pickle of it creates a file when it is read."""

    def __init__(self, canary: Path) -> None:
        self.canary = str(canary)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(self.canary),))


def npy(header: dict[str, Any], data: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + data


def npz(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("vocals.npy", content)


def objects(path: Path) -> None:
    content = npy({"descr": "|O", "fortran_order": False, "shape": (1,)})
    npz(path, content + pickle.dumps(Bomb(path.parent / "canary")))


def short_array(path: Path) -> None:
    npz(path, npy({"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}, b"1234"))


def zip_bomb(path: Path) -> None:
    size = 1 << 28
    npz(path, npy({"descr": "|u1", "fortran_order": False, "shape": (size,)}, bytes(size)))


def endless_shape(path: Path) -> None:
    npz(path, npy({"descr": "<f4", "fortran_order": False, "shape": (1 << 62, 1 << 62)}))


def evaluated_header(path: Path) -> None:
    text = f"__import__('pathlib').Path({str(path.parent / 'canary')!r}).touch()\n".encode()
    npz(path, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)


def nested_header(path: Path) -> None:
    text = b"(" * 9000 + b"\n"
    npz(path, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)


@pytest.mark.parametrize(
    "write", [objects, short_array, zip_bomb, endless_shape, evaluated_header, nested_header]
)
def test_an_npz_that_does_more_than_hold_numbers(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "profile.npz")
    with pytest.raises(WeightsError, match=r"profile\.npz is no sound file of weights"):
        ensure_weights(Catalog().model("wiener:4stems"), tmp_path)
    assert not (tmp_path / "canary").exists()


def safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(begin: Any, end: Any, shape: Any = (1,), kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}


SAFETENSORS = {
    "header beyond the file": safetensors({}, length=1 << 40),
    "header of nothing": safetensors(b"", length=0),
    "empty file": b"",
    "overlapping": safetensors({"a": entry(0, 4), "b": entry(0, 4)}, bytes(4)),
    "overlapping in part": safetensors(
        {"a": entry(0, 8, (2,)), "b": entry(4, 12, (2,))}, bytes(12)
    ),
    "many for one place": safetensors(
        {str(n): entry(0, 400, (100,)) for n in range(9999)}, bytes(400)
    ),
    "gap": safetensors({"a": entry(4, 8)}, bytes(8)),
    "beyond the end": safetensors({"a": entry(0, 400, (100,))}, bytes(4)),
    "shape of another size": safetensors({"a": entry(0, 4, (1 << 40,))}, bytes(4)),
    "shape of two factors": safetensors({"a": entry(0, 4, (1 << 32, 1 << 32, 1))}, bytes(4)),
    "negative": safetensors({"a": entry(-4, 0)}, bytes(4)),
    "negative shape": safetensors({"a": entry(0, 4, (-1, -1))}, bytes(4)),
    "another type": safetensors({"a": entry(0, 4, kind="PY")}, bytes(4)),
    "numbers as text": safetensors({"a": entry("x", None)}, bytes(4)),
    "deep": safetensors(b'{"a":' + b"[" * 200_000),
    "no object": safetensors(b"[1, 2]"),
    "long number": safetensors(b'{"a": ' + b"9" * 10_000 + b"}"),
    "rest": safetensors({"a": entry(0, 4)}, bytes(5)),
}


@pytest.mark.parametrize("name", SAFETENSORS)
def test_a_safetensors_file_whose_header_lies(tmp_path: Path, name: str) -> None:
    (tmp_path / "zipformer.safetensors").write_bytes(SAFETENSORS[name])
    with pytest.raises(WeightsError, match=r"zipformer\.safetensors is no sound file of weights"):
        ensure_weights(Catalog().model("zipformer:tiny"), tmp_path)
    if name not in ("gap", "rest"):  # harmless to a reader that looks at each array alone
        with pytest.raises(zipformer.WeightsError):
            zipformer.read_weights(tmp_path / "zipformer.safetensors")


def external(path: Path, location: str) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    output = helper.make_tensor_value_info("w", TensorProto.FLOAT, [4])
    inner = helper.make_graph([], "inner", [], [output], [tensor])
    plain = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    graph = helper.make_graph([node], "outer", [condition], [plain])
    path.write_bytes(helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize(
    "location",
    ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", "C:\\secret", "~/x", ""],
)
def test_a_network_that_reads_outside_its_folder(tmp_path: Path, location: str) -> None:
    external(tmp_path / "network.onnx", location)
    with pytest.raises(WeightsError, match="lies outside its folder"):
        require_plain_weights(tmp_path)


def test_a_network_with_data_beside_it_and_one_that_is_none(tmp_path: Path) -> None:
    external(tmp_path / "network.onnx", "network.onnx_data")
    require_plain_weights(tmp_path)
    (tmp_path / "network.onnx").write_bytes(b"\xff" * 1000)
    with pytest.raises(WeightsError, match="is no ONNX model"):
        require_plain_weights(tmp_path)


def test_the_shipped_weights_are_sound(tmp_path: Path) -> None:
    for folder in (ROOT / "adapters").glob("*/weights/*"):
        require_plain_weights(folder)
    onnx.save(onnx.load(_network(tmp_path)), tmp_path / "copy.onnx")
    require_plain_weights(tmp_path)


def _network(folder: Path) -> Path:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    output = helper.make_tensor_value_info("w", TensorProto.FLOAT, [2])
    graph = helper.make_graph([], "g", [], [output], [tensor])
    path = folder / "network.onnx"
    onnx.save(helper.make_model(graph), path)
    return path


# A checkpoint of TensorFlow: an index in the format of LevelDB, and a file of values.


def varint(value: int) -> bytes:
    digits = []
    while True:
        digits.append((value & 0x7F) | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(digits)


def field(tag: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(tag << 3) + varint(value)
    return varint(tag << 3 | 2) + varint(len(value)) + value


def masked(content: bytes) -> bytes:
    crc = google_crc32c.value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def block(records: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(b"\0" + varint(len(k)) + varint(len(v)) + k + v for k, v in records)
    body += struct.pack("<II", 0, 1)
    return body + b"\0" + masked(body + b"\0")


def index(name: str, tensor: bytes) -> bytes:
    data = block([(b"", field(1, 1)), (name.encode(), tensor)])
    handle = varint(0) + varint(len(data) - 5)
    top = block([(b"z", handle)])
    places = varint(0) + varint(0) + varint(len(data)) + varint(len(top) - 5)
    footer = places.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    return data + top + footer


def tensor(size: int = 8, offset: int = 0, dims: tuple[int, ...] = (2,), kind: int = 1) -> bytes:
    shape = b"".join(field(2, field(1, length)) for length in dims)
    crc = struct.unpack("<I", masked(bytes(8)))[0]
    number = varint(6 << 3 | 5) + struct.pack("<I", crc)
    return field(1, kind) + field(2, shape) + field(4, offset) + field(5, size) + number


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(entry_: bytes) -> Path:
        (tmp_path / "model.index").write_bytes(index("w", entry_))
        (tmp_path / "model.data-00000-of-00001").write_bytes(bytes(8))
        return tmp_path / "model"

    return write


def test_a_sound_checkpoint_is_read(checkpoint: Callable[[bytes], Path]) -> None:
    np.testing.assert_array_equal(bundles.TensorBundle(checkpoint(tensor())).read("w"), [0.0, 0.0])


@pytest.mark.parametrize(
    "entry_",
    [
        tensor(size=1 << 62), tensor(size=(1 << 64) - 1), tensor(offset=1 << 63),
        tensor(offset=(1 << 64) - 1), tensor(size=1 << 40, dims=(1 << 38,)),
        tensor(dims=(1 << 40,)), tensor(dims=(1 << 32, 1 << 32)), tensor(dims=(1 << 63, 2)),
        tensor(size=4), tensor(kind=7), tensor(kind=999), field(1, 1) + b"\xff" * 200,
        tensor() + field(3, 77), tensor() + field(7, b"slice"), b"\x0f", b"",
    ],
    ids=range(16),
)  # fmt: skip
def test_a_checkpoint_whose_index_lies(checkpoint: Callable[[bytes], Path], entry_: bytes) -> None:
    with pytest.raises((bundles.BundleError, FileNotFoundError)):
        bundles.TensorBundle(checkpoint(entry_)).read("w")


def test_a_checkpoint_is_read_from_its_own_folder(tmp_path: Path) -> None:
    find = importlib.import_module("spleeter_keras.checkpoint").find_checkpoint
    for name in ("model.index", "model.data-00000-of-00001"):
        (tmp_path / name).write_bytes(b"")
    inside = tmp_path / "inside"
    inside.mkdir()
    for place in ("../model", str(tmp_path / "model"), "..\\model"):
        (inside / "checkpoint").write_text(f'model_checkpoint_path: "{place}"\n')
        with pytest.raises(ValueError, match=r"inside/model\.index is missing"):
            find(inside)
