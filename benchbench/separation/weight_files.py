"""Look at weights of strangers before a separator reads them: nothing in them runs or points elsewhere.

Formats that can run code when they are read, such as pickles of PyTorch, are left to the adapters
that read them: naming such a file is naming a program.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import numpy as np

from benchbench.errors import WeightsError

__all__ = ["require_plain_weights"]

LONGEST_HEADER: Final = 100_000_000
"""Maximum bytes of a safetensors header, as in the format's own reader."""

MOST_UNPACKED: Final = 64 << 20
"""Bytes that any archive may unpack to, plus 50 for each byte of the file."""

_SIZES: Final = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2,
    "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip


def require_plain_weights(folder: Path) -> None:
    """Refuse a folder of weights with files that execute, unpack without bound or point elsewhere.

    Checked are ``.npy`` and ``.npz`` (objects, size), ``.safetensors`` (header, overlapping arrays)
    and ``.onnx`` (external data).

    Raises
    ------
    WeightsError
        Names the file and what is wrong with it.
    """
    for path in sorted(folder.rglob("*")):
        check = _CHECKS.get(path.suffix.lower())
        if check is None or not path.is_file():
            continue
        try:
            check(path)
        except Exception as error:  # the parsers of these formats raise errors of many kinds
            raise WeightsError(
                f"{path} is no sound file of weights: {str(error)[:200] or type(error).__name__}.",
                hint="Ask whoever made it. Nothing of it was run.",
            ) from error


def _check_npy(path: Path) -> None:
    with path.open("rb") as file:
        _check_array(file, path.stat().st_size)


def _check_npz(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if unpacked > MOST_UNPACKED + 50 * path.stat().st_size:
            raise ValueError(f"it unpacks to {unpacked} bytes")
        for member in members:
            with archive.open(member) as file:
                _check_array(file, member.file_size)


def _check_array(file: IO[bytes], size: int) -> None:
    """Check the header of one array against the bytes that follow."""
    version = np.lib.format.read_magic(file)
    first = version == (1, 0)
    header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, _, kind = header(file)
    if kind.hasobject:
        raise ValueError("it holds Python objects, which could run code")
    if math.prod(shape) * kind.itemsize > size:
        raise ValueError(f"an array of shape {shape} does not fit into {size} bytes")


def _check_safetensors(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(LONGEST_HEADER, size - 8):
            raise ValueError(f"its header would be {length} bytes long")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    end = 0
    for entry in sorted(header.values(), key=lambda one: tuple(map(int, one["data_offsets"]))):
        begin, stop = map(int, entry["data_offsets"])
        shape = [int(length) for length in entry["shape"]]
        count = math.prod(shape)
        if min(shape, default=0) < 0:
            raise ValueError(f"an array has the shape {shape}")
        if begin != end or stop - begin != count * _SIZES[entry["dtype"]]:
            raise ValueError(f"its arrays overlap or leave gaps at byte {begin}")
        end = stop
    if 8 + length + end != size:
        raise ValueError(f"its arrays end at byte {8 + length + end} of {size}")


def _check_onnx(path: Path) -> None:
    import onnx

    try:
        model = onnx.load_model(str(path), load_external_data=False)
    except Exception as error:  # protobuf raises errors of its own
        raise ValueError("it is no ONNX model") from error
    for tensor in _tensors(model.graph):
        for entry in tensor.external_data:
            if entry.key == "location":
                _require_beside(entry.value)


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors of a graph and of the graphs inside its nodes."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                if inner.ByteSize():
                    yield from _tensors(inner)


def _require_beside(location: str) -> None:
    parts = PurePosixPath(location.replace("\\", "/")).parts
    outside = not parts or ".." in parts or location.startswith(("/", "\\", "~")) or ":" in location
    if outside or "\0" in location:
        raise ValueError(f"it reads {location[:80]!r}, which lies outside its folder")


_CHECKS: Final[dict[str, Callable[[Path], None]]] = {
    ".npy": _check_npy,
    ".npz": _check_npz,
    ".safetensors": _check_safetensors,
    ".onnx": _check_onnx,
}
