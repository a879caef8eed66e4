"""TensorFlow's checkpoint files read without TensorFlow, whose import alone takes seconds.

A *tensor bundle* is ``<prefix>.index``, a sorted table of names to entries in the format of
LevelDB, and ``<prefix>.data-NNNNN-of-NNNNN``, the values one after another. Only what
checkpoints use is read: uncompressed blocks and whole tensors.

Sources: ``tensorflow/core/protobuf/tensor_bundle.proto``,
``tensorflow/core/util/tensor_bundle/`` and LevelDB's ``doc/table_format.md``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
_MASK_DELTA = 0xA282EAD8
_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
    19: np.dtype("<f2"),
}


class BundleError(ValueError):
    """The files are no tensor bundle, are damaged, or use a part of the format not read here."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor lies.

    Parameters
    ----------
    dtype
        TensorFlow's number of the type.
    shape
        Of the tensor.
    shard, offset, size
        Number of the data file, and the tensor's bytes in it.
    checksum
        Masked CRC-32C of the bytes.
    """

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int


class TensorBundle:
    """An open checkpoint.

    Parameters
    ----------
    prefix
        Path of the files without ``.index``.

    Raises
    ------
    BundleError
        The index is damaged, or no index.
    """

    def __init__(self, prefix: Path) -> None:
        self._prefix = Path(prefix)
        try:
            records = dict(_records(Path(f"{prefix}.index").read_bytes()))
            header = _message(records.pop(b""))
            if header.get(2, [0])[0]:
                raise BundleError("its values are big-endian")
            self._shards = _number(header, 1)
            self.entries = {name.decode(): _entry(value) for name, value in records.items()}
        except (IndexError, KeyError, TypeError, UnicodeDecodeError, struct.error) as error:
            raise BundleError(f"its structure is damaged ({type(error).__name__})") from error

    def read(self, name: str) -> npt.NDArray[Any]:
        """One tensor, its checksum verified.

        Parameters
        ----------
        name
            A key of `entries`.

        Raises
        ------
        BundleError
            The values are cut short or changed, or of a type that networks do not use.
        """
        entry = self.entries[name]
        if entry.dtype not in _DTYPES:
            raise BundleError(f"its type, number {entry.dtype}, is not read here")
        path = Path(f"{self._prefix}.data-{entry.shard:05d}-of-{self._shards:05d}")
        if entry.offset + entry.size > path.stat().st_size:
            raise BundleError(f"{path.name} ends before it does")
        if entry.size != math.prod(entry.shape) * _DTYPES[entry.dtype].itemsize:
            raise BundleError(f"{entry.size} bytes do not fill the shape {entry.shape}")
        with path.open("rb") as file:
            file.seek(entry.offset)
            content = file.read(entry.size)
        if google_crc32c.value(content) != unmasked(entry.checksum):
            raise BundleError("its checksum is not the stored one")
        return np.frombuffer(content, _DTYPES[entry.dtype]).reshape(entry.shape)


def unmasked(stored: int) -> int:
    """The CRC-32C behind a masked one, as TensorFlow and LevelDB store it."""
    rotated = (stored - _MASK_DELTA) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


def _records(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All keys and values of a sorted table."""
    if len(table) < _FOOTER or struct.unpack("<Q", table[-8:])[0] != _MAGIC:
        raise BundleError("it is no table of tensors")
    position = len(table) - _FOOTER
    for _ in range(2):  # the handle of a block that says nothing here
        _, position = _varint(table, position)
    for _, handle in _block(table, position):
        yield from _block(handle, 0, table)


def _block(
    source: bytes, position: int, table: bytes | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """The records of the block that a handle at `position` of `source` points to."""
    offset, position = _varint(source, position)
    size, _ = _varint(source, position)
    whole = (source if table is None else table)[offset : offset + size + _TRAILER]
    if len(whole) != size + _TRAILER:
        raise BundleError("a block lies beyond its end")
    if google_crc32c.value(whole[:-4]) != unmasked(struct.unpack("<I", whole[-4:])[0]):
        raise BundleError("a block's checksum is not the stored one")
    if whole[size]:
        raise BundleError("its blocks are compressed")
    (restarts,) = struct.unpack("<I", whole[size - 4 : size])
    end = size - 4 * (restarts + 1)
    key, position = b"", 0
    while position < end:
        shared, position = _varint(whole, position)
        fresh, position = _varint(whole, position)
        length, position = _varint(whole, position)
        key = key[:shared] + whole[position : position + fresh]
        position += fresh
        yield key, whole[position : position + length]
        position += length


def _entry(value: bytes) -> Entry:
    fields = _message(value)
    if 7 in fields:
        raise BundleError("it holds tensors in slices")
    shape = _message(_bytes(fields, 2)) if 2 in fields else {}
    dimensions = tuple(
        _number(_message(dimension), 1)
        for dimension in shape.get(2, [])
        if isinstance(dimension, bytes)
    )
    return Entry(_number(fields, 1), dimensions, *(_number(fields, tag) for tag in (3, 4, 5, 6)))


def _message(data: bytes) -> dict[int, list[int | bytes]]:
    """Fields of a protocol buffer by their numbers."""
    fields: dict[int, list[int | bytes]] = {}
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        value: int | bytes
        match tag & 7:
            case 0:
                value, position = _varint(data, position)
            case 2:
                length, position = _varint(data, position)
                value, position = data[position : position + length], position + length
            case 5:
                (value,), position = (
                    struct.unpack("<I", data[position : position + 4]),
                    position + 4,
                )
            case kind:
                raise BundleError(f"a field is of kind {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _number(fields: dict[int, list[int | bytes]], tag: int) -> int:
    """A number, which is left out of the file where it is zero."""
    value = fields.get(tag, [0])[0]
    if not isinstance(value, int):
        raise BundleError("a field is no number")
    return value


def _bytes(fields: dict[int, list[int | bytes]], tag: int) -> bytes:
    value = fields[tag][0]
    if not isinstance(value, bytes):
        raise BundleError("a field is no message")
    return value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        if shift > 63:
            raise BundleError("a number has more than 64 bits")
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
