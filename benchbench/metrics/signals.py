"""Checked audio: equally long stems that are read block by block as float64.

Nothing is copied: the arrays stay as they were given (float32, int16, a memory map), and only the
block that is being worked on exists in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.errors import AudioError

__all__ = ["ArrayLike", "Blocks", "Float64", "Signals", "as_audio"]

Float64: TypeAlias = npt.NDArray[np.float64]

ArrayLike: TypeAlias = Any
"""A NumPy array, a tensor of PyTorch, TensorFlow or JAX, or nested lists of numbers."""

_CHUNK = 1 << 20
_MOST_CHANNELS = 64


class Blocks(Protocol):
    """Whatever can be read block by block."""

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
    role
        ``reference`` or ``estimate``, for error messages.
    samples
        The length to present: shorter stems end in zeros, longer ones are cut. None asks for
        stems that are equally long.

    Raises
    ------
    AudioError
        For an empty or non-numeric array, a wrong shape, or a sample that is not finite.
    """

    __slots__ = ("_stems", "channels", "lengths", "names", "samples")

    def __init__(
        self,
        stems: Mapping[str, npt.NDArray[Any]],
        role: str,
        *,
        channels: int | None = None,
        samples: int | None = None,
    ) -> None:
        self._stems = {name: _checked(np.asarray(stem), name, role) for name, stem in stems.items()}
        self.names = tuple(self._stems)
        shapes = {name: stem.shape for name, stem in self._stems.items()}
        self.lengths = {name: shape[1] for name, shape in shapes.items()}
        self.channels = channels or next(iter(shapes.values()))[0]
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
        """Samples `start` to `stop` of every stem, zeros where a stem has none.

        Returns
        -------
        float64 array of shape (stems, channels, stop - start)
        """
        out = np.empty((len(self.names), self.channels, stop - start))
        for row, stem in zip(out, self._stems.values(), strict=True):
            self._fill(row, stem, start)
        return out

    def stem(self, index: int, start: int, stop: int) -> Float64:
        """As `block`, but of one stem: float64 array of shape (channels, stop - start)."""
        out = np.empty((self.channels, stop - start))
        self._fill(out, self._stems[self.names[index]], start)
        return out

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
    host; gradients are left behind.

    Parameters
    ----------
    array
        Shape (channels, samples), or (samples,) for mono.
    what
        Names the array in error messages.

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
            hint="Hand over numbers of shape (channels, samples): NumPy, PyTorch, TensorFlow, JAX.",
        ) from error
    return audio[None, :] if audio.ndim == 1 else audio


def _on_host(array: ArrayLike) -> ArrayLike:
    """The array without its gradient, in the memory of this process, in a type NumPy knows."""
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "detach"):  # PyTorch
        tensor = array.detach().cpu()
        return tensor.float() if "bfloat16" in str(tensor.dtype) else tensor
    if not hasattr(array, "__array__") and hasattr(array, "__dlpack__"):
        return np.from_dlpack(array)
    return array


def _checked(stem: npt.NDArray[Any], name: str, role: str) -> npt.NDArray[Any]:
    if stem.dtype.kind not in "fiu":
        raise AudioError(f"The {role} {name!r} holds {stem.dtype}, which is no audio sample.")
    if stem.ndim != 2 or not stem.size:
        raise AudioError(
            f"The {role} {name!r} has the shape {stem.shape}, not (channels, samples).",
            hint="Mono is (1, samples): stem[None, :].",
        )
    if stem.shape[0] > _MOST_CHANNELS:
        raise AudioError(
            f"The {role} {name!r} has {stem.shape[0]} channels.",
            hint="It looks transposed: hand over (channels, samples), stem.T.",
        )
    if stem.dtype.kind == "f":
        _refuse_non_finite(stem, name, role)
    return stem


def _refuse_non_finite(stem: npt.NDArray[Any], name: str, role: str) -> None:
    for start in range(0, stem.shape[1], _CHUNK):
        finite = np.isfinite(stem[:, start : start + _CHUNK])
        if not finite.all():
            sample, channel = np.argwhere(~finite.T)[0]
            value = stem[channel, start + sample]
            raise AudioError(
                f"The {role} {name!r} holds {value} at channel {channel}, sample {start + sample}."
            )


def _read(stem: npt.NDArray[Any], start: int, stop: int, out: Float64) -> None:
    out[...] = stem[:, start:stop]
    if stem.dtype.kind in "iu":
        full_scale = 2.0 ** (8 * stem.dtype.itemsize - 1)
        if stem.dtype.kind == "u":
            out -= full_scale
        out /= full_scale
