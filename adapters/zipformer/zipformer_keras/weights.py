"""Weights in the safetensors format: names, shapes and numbers, nothing that could run.

A file is the length of a header (eight bytes, little endian), the header (JSON: name to type,
shape and place) and the numbers. Source: https://github.com/huggingface/safetensors.

An array of whole numbers from -127 to 127 (type I8) is multiplied by the array ``NAME/scale``, one
number for each index of its last axis.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .configuration import Configuration
from .variants import VARIANTS

WEIGHTS_FILE = "zipformer.safetensors"
CONFIGURATION = "configuration"
"""The note that holds a network's sizes as JSON, where they are those of no variant."""
HEADS = "harmonics/"
"""How names of weights of heads for pitch and activity begin."""
SCALE = "/scale"
"""How the name of an array that multiplies another one's whole numbers ends."""
_TYPES: dict[str, np.dtype[Any]] = {
    "I8": np.dtype("i1"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
}
_FLOATS: dict[int, str] = {8: "F16", 16: "F16", 32: "F32"}
_LARGEST = 127
_ROUNDED_FROM = 1024
"""Arrays of fewer numbers, and those of one axis, are never stored in 8 bits."""
_HEADER_LIMIT = 10_000_000

Arrays = dict[str, npt.NDArray[np.float32]]


class WeightsError(ValueError):
    """A file of weights is damaged, or of another network."""


def read_weights(path: Path) -> tuple[Arrays, dict[str, str]]:
    """Read a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple
        float32 arrays by name, and the file's notes.

    Raises
    ------
    WeightsError
        There is no such file, or it is not what the format asks for.
    """
    if not path.is_file():
        raise WeightsError(f"There is no {path.name} in {path.parent}.")
    content = memoryview(path.read_bytes())
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= length <= min(_HEADER_LIMIT, len(content) - 8):
        raise WeightsError(f"{path} is no safetensors file: its header would be {length} bytes.")
    try:
        header = json.loads(bytes(content[8 : 8 + length]))
        notes = dict(header.pop("__metadata__", {}))
        data = content[8 + length :]
        stated = sum(_bytes_of(entry) for entry in header.values())
        if stated > len(data):
            raise ValueError(f"its arrays need {stated} bytes, {len(data)} are there")
        arrays = {name: _array(entry, data) for name, entry in header.items()}
        for name in [name for name, entry in header.items() if entry["dtype"] == "I8"]:
            arrays[name] *= arrays.pop(name + SCALE)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from error
    return arrays, notes


def _bytes_of(entry: Mapping[str, Any]) -> int:
    begin, end = (int(offset) for offset in entry["data_offsets"])
    return end - begin


def noted(notes: Mapping[str, str], variant: str) -> Configuration:
    """The configuration of a file of weights: that of its notes, or else the variant's.

    Raises
    ------
    WeightsError
        The notes are damaged, or those of another variant or of a network that there is no more.
    ValueError
        There is no such variant.
    """
    found = None
    if CONFIGURATION in notes:
        try:
            found = Configuration.of_values(json.loads(notes[CONFIGURATION]))
        except ValueError as error:
            raise WeightsError(f"The notes of the weights cannot be used: {error}.") from error
    # An adapted network may have any name.
    if variant not in VARIANTS and (found is None or not found.grown):
        raise ValueError(f"There is no variant {variant!r}; there are {', '.join(VARIANTS)}.")
    if found is None:
        return VARIANTS[variant]
    if variant in VARIANTS and _trunk(found) != _trunk(VARIANTS[variant]):
        raise WeightsError(f"The weights have the sizes of another variant than {variant}.")
    return found


def _trunk(configuration: Configuration) -> Configuration:
    """The network without what can be added to it."""
    return replace(configuration, grown=None, harmonics=False, grouping=False, query=False)


def _array(entry: Mapping[str, Any], data: memoryview) -> npt.NDArray[np.float32]:
    kind, shape = _TYPES[entry["dtype"]], tuple(int(size) for size in entry["shape"])
    begin, end = (int(offset) for offset in entry["data_offsets"])
    size = math.prod(shape)
    if not 0 <= begin <= end <= len(data) or end - begin != size * kind.itemsize:
        raise ValueError(f"an array of shape {shape} cannot lie at bytes {begin} to {end}")
    array = np.frombuffer(data[begin:end], kind).reshape(shape)
    return array.astype(np.float32)


def write_weights(
    path: Path,
    arrays: Mapping[str, npt.NDArray[np.float32]],
    notes: Mapping[str, str],
    *,
    bits: Literal[8, 16, 32] = 16,
) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path
        The file.
    arrays
        Arrays by name.
    notes
        What to say about them.
    bits
        Of a number: 32 or 16 for floats; 8 for whole numbers with a scale for each index of an
        array's last axis (small arrays as 16).
    """
    header: dict[str, Any] = {"__metadata__": dict(notes)}
    parts, offset = [], 0
    stored = _rounded(arrays) if bits == 8 else arrays
    for name in sorted(stored):
        kind = "I8" if stored[name].dtype == np.int8 else _FLOATS[bits]
        kind = "F32" if name.endswith(SCALE) else kind
        part = stored[name].astype(_TYPES[kind]).tobytes()
        place = [offset, offset + len(part)]
        header[name] = {"dtype": kind, "shape": list(stored[name].shape), "data_offsets": place}
        parts.append(part)
        offset += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}")
    with fresh.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _rounded(arrays: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[Any]]:
    """Large arrays as whole numbers, and their scales."""
    stored: dict[str, npt.NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim < 2 or array.size < _ROUNDED_FROM:
            stored[name] = array
            continue
        peaks = np.abs(array).max(axis=tuple(range(array.ndim - 1)))
        scale = np.where(peaks > 0.0, peaks / _LARGEST, 1.0).astype(np.float32)
        near = np.rint(array / scale)
        stored[name] = np.clip(near, -_LARGEST, _LARGEST).astype(np.int8)
        stored[name + SCALE] = scale
    return stored


def without_heads(arrays: Mapping[str, npt.NDArray[np.float32]]) -> Arrays:
    """The weights of a network without heads for pitch and activity."""
    return {name: array for name, array in arrays.items() if not name.startswith(HEADS)}


def collect(network: Any) -> Arrays:
    """A built network's variables by name, without the network's own."""
    return {_name(one): np.asarray(one, np.float32) for one in _stored(network)}


def assign(network: Any, arrays: Mapping[str, npt.NDArray[np.float32]]) -> None:
    """Fill a built network.

    Raises
    ------
    WeightsError
        A variable is missing, of another shape, or unknown.
    """
    variables = {_name(variable): variable for variable in _stored(network)}
    check(arrays, {name: tuple(variable.shape) for name, variable in variables.items()})
    for name, variable in variables.items():
        variable.assign(arrays[name])


def check(
    arrays: Mapping[str, npt.NDArray[np.float32]], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Hold arrays against the names and shapes of a network.

    Raises
    ------
    WeightsError
        They differ, or a number is not finite.
    """
    for name in sorted(set(shapes) | set(arrays)):
        if name not in arrays:
            raise WeightsError(f"The weights lack {name}: they are of another variant.")
        if name not in shapes:
            raise WeightsError(
                f"The weights have {name}, this variant has not: they are of another variant."
            )
        if arrays[name].shape != tuple(shapes[name]):
            raise WeightsError(
                f"{name} has the shape {arrays[name].shape}, this variant's has "
                f"{tuple(shapes[name])}: the weights are of another variant."
            )
        if not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{name} holds numbers that are not finite.")


def _stored(network: Any) -> list[Any]:
    """Variables that belong in a file: dropout's random state does not."""
    return [variable for variable in network.variables if "seed_generator" not in variable.path]


def _name(variable: Any) -> str:
    return str(variable.path).partition("/")[2]
