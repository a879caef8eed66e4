"""Checked audio: equally long stems that are read block by block as float64.

Nothing is copied: the arrays keep their type (float32, int16, a memory map), and only the current
block exists in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.errors import AudioError, UsageError
from benchbench.metrics.arrays.samples import checked, is_extreme, is_masked, peak

__all__ = ["ArrayLike", "Blocks", "Float64", "Signals", "as_audio"]

Float64: TypeAlias = npt.NDArray[np.float64]

ArrayLike: TypeAlias = Any
"""A NumPy array, a tensor of PyTorch, TensorFlow or JAX, or nested lists of numbers."""


class Blocks(Protocol):
    """Audio that can be read block by block."""

    @property
    def samples(self) -> int:
        """Length in samples."""

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (stems, channels, stop - start), zeros beyond the ends."""


class Signals:
    """Several named stems of one shape.

    Parameters
    ----------
    stems
        Arrays of shape (channels, samples) by name. Floating-point audio has its full scale at 1;
        signed integers are divided by 2**(bits - 1), unsigned ones are centred first, as in WAV.
        All integer stems must have the same type, because the full scale of a sum of stems of
        different types is unknown.
    role
        ``reference`` or ``estimate``, for error messages.
    like
        Other signals of the track, with which the number of channels must agree, and also the type
        if both are integers.
    samples
        The length of the result: shorter stems are padded with zeros, longer ones are cut. With
        None all stems must be equally long.

    Raises
    ------
    AudioError
        For an empty or non-numeric array, a wrong shape, integers of several types, or a sample that
        is not finite.
    """

    channels: int
    integers: tuple[str, str] | None
    __slots__ = ("_stems", "channels", "extreme", "integers", "lengths", "names", "samples")

    def __init__(
        self,
        stems: Mapping[str, npt.NDArray[Any]],
        role: str,
        *,
        like: Signals | None = None,
        samples: int | None = None,
    ) -> None:
        _refuse_odd_names(stems, role)
        self._stems = {name: checked(stem, name, role) for name, stem in stems.items()}
        self.names = tuple(self._stems)
        self.integers = _one_integer_type(self._stems, role, like.integers if like else None)
        self.extreme = any(is_extreme(stem) for stem in self._stems.values())
        shapes = {name: stem.shape for name, stem in self._stems.items()}
        self.lengths = {name: shape[1] for name, shape in shapes.items()}
        self.channels = like.channels if like else next(iter(shapes.values()))[0]
        self.samples = samples or next(iter(shapes.values()))[1]
        for name, shape in shapes.items():
            if shape[0] != self.channels or (samples is None and shape[1] != self.samples):
                asked = f"{self.channels} channels" + (
                    "" if samples else f" of {self.samples} samples"
                )
                raise AudioError(
                    f"The {role} {name!r} has the shape {shape} where {asked} are needed.",
                    hint="All stems of a track need the same channels, rate and length.",
                )

    def block(self, start: int, stop: int) -> Float64:
        """Samples `start` to `stop` of every stem, zeros beyond its ends.

        Returns
        -------
        float64 array of shape (stems, channels, stop - start)
        """
        out = np.empty((len(self.names), self.channels, stop - start))
        for row, stem in zip(out, self._stems.values(), strict=True):
            self._fill(row, stem, start)
        return out

    def stem(self, index: int, start: int, stop: int) -> Float64:
        """Like `block`, for one stem: float64 array of shape (channels, stop - start)."""
        out = np.empty((self.channels, stop - start))
        self._fill(out, self._stems[self.names[index]], start)
        return out

    def peak(self, index: int) -> float:
        """The largest magnitude of one stem's samples, full scale at 1."""
        return peak(self._stems[self.names[index]])

    def _fill(self, out: Float64, stem: npt.NDArray[Any], start: int) -> None:
        lo, hi = max(start, 0), min(start + out.shape[1], stem.shape[1], self.samples)
        if lo >= hi:
            out[...] = 0.0
            return
        out[:, : lo - start] = 0.0
        out[:, hi - start :] = 0.0
        _read(stem, lo, hi, out[:, lo - start : hi - start])


def as_audio(array: ArrayLike, what: str = "audio") -> npt.NDArray[Any]:
    """An array of any library as a NumPy array of shape (channels, samples).

    Memory is shared where the library allows it. Tensors on an accelerator are copied to the
    host; gradients are dropped.

    Parameters
    ----------
    array
        Shape (channels, samples), or (samples,) for mono.
    what
        Name of the array in error messages.

    Raises
    ------
    AudioError
        When the array cannot be converted.

    Examples
    --------
    >>> as_audio([0.0, 0.5, -0.5]).shape
    (1, 3)
    """
    try:
        audio = np.asarray(_on_host(array))
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise AudioError(
            f"The {what} of type {type(array).__name__} cannot be read as an array: {error}.",
            hint="Pass numbers of shape (channels, samples): NumPy, PyTorch, TensorFlow, JAX.",
        ) from error
    return audio[None, :] if audio.ndim == 1 else audio


def _on_host(array: ArrayLike) -> ArrayLike:
    """The array without its gradient, in the memory of this process, in a type NumPy knows."""
    if is_masked(array):
        raise TypeError("some samples are masked; fill them first: array.filled(0)")
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "detach"):  # PyTorch
        tensor = array.detach().cpu()
        return tensor.float() if "bfloat16" in str(tensor.dtype) else tensor
    if not hasattr(array, "__array__") and hasattr(array, "__dlpack__"):
        return np.from_dlpack(array)
    return array


def _refuse_odd_names(stems: object, role: str) -> None:
    if not isinstance(stems, Mapping):
        raise UsageError(
            f"The {role}s are a {type(stems).__name__}, not arrays by name.",
            hint='For instance {"vocals": vocals, "accompaniment": accompaniment}.',
        )
    for name in stems:
        if not isinstance(name, str):
            raise UsageError(f"A {role} has the name {name!r}, which is not text.")


def _one_integer_type(
    stems: Mapping[str, npt.NDArray[Any]], role: str, other: tuple[str, str] | None
) -> tuple[str, str] | None:
    """A description and the type of the integer stems, None where all are floating-point.

    Raises
    ------
    AudioError
        If they and those of `other` differ in type.
    """
    known = other
    for name, stem in stems.items():
        if stem.dtype.kind in "iu":
            known = known or (f"the {role} {name!r}", str(stem.dtype))
            if known[1] != str(stem.dtype):
                raise AudioError(
                    f"The {role} {name!r} holds {stem.dtype}, but {known[0]} {known[1]}: their full "
                    "scales differ.",
                    hint="Convert all stems to float first, for instance stem / 32768 for 16 bits.",
                )
    return known


def _read(stem: npt.NDArray[Any], start: int, stop: int, out: Float64) -> None:
    out[...] = stem[:, start:stop]
    if stem.dtype.kind in "iu":
        full_scale = 2.0 ** (8 * stem.dtype.itemsize - 1)
        if stem.dtype.kind == "u":
            out -= full_scale
        out /= full_scale
