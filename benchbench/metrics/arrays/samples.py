"""Check that an array holds audio samples that can be scored."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchbench.errors import AudioError

__all__ = ["LARGEST", "SMALLEST", "checked", "is_extreme", "is_masked", "peak"]

LARGEST: Final = 1e140
"""Above this peak, sums of squares and their products overflow float64."""

SMALLEST: Final = 1e-130
"""Below this peak, squares of errors underflow float64."""

_CHUNK = 1 << 20
_MOST_CHANNELS = 64


def checked(stem: Any, name: str, role: str) -> npt.NDArray[Any]:
    """A stem as a checked array.

    Raises
    ------
    AudioError
        Unless it is an array of finite samples of shape (channels, samples).
    """
    if is_masked(stem):
        raise AudioError(
            f"The {role} {name!r} has masked samples.", hint="Fill them first: stem.filled(0)."
        )
    audio: npt.NDArray[Any] = np.asarray(stem)
    if audio.dtype.kind not in "fiu":
        raise AudioError(
            f"The {role} {name!r} holds {audio.dtype}, which is not a type of audio sample."
        )
    if audio.dtype.kind in "iu" and audio.dtype.itemsize > 4:
        raise AudioError(
            f"The {role} {name!r} holds {audio.dtype}, whose full scale is not known.",
            hint="NumPy sums 16-bit stems to 64 bits. Convert to float first: stem / 32768.",
        )
    if audio.ndim != 2 or not audio.size:
        raise AudioError(
            f"The {role} {name!r} has the shape {audio.shape}, not (channels, samples).",
            hint="Mono is (1, samples): stem[None, :].",
        )
    if audio.shape[0] > _MOST_CHANNELS:
        raise AudioError(
            f"The {role} {name!r} has {audio.shape[0]} channels.",
            hint="It looks transposed: pass (channels, samples), stem.T.",
        )
    if audio.dtype.kind == "f":
        _refuse_non_finite(audio, name, role)
    return audio


def is_masked(array: object) -> bool:
    """Whether an array has masked samples; `numpy.ma` is loaded only when that is possible."""
    return type(array).__module__.startswith("numpy.ma") and bool(np.ma.is_masked(array))


def peak(stem: npt.NDArray[Any]) -> float:
    """The largest magnitude of a stem's samples, full scale at 1."""
    low, high = float(stem.min()), float(stem.max())
    if stem.dtype.kind not in "iu":
        return max(abs(low), abs(high))
    full_scale = 2.0 ** (8 * stem.dtype.itemsize - 1)
    centre = full_scale if stem.dtype.kind == "u" else 0.0
    return max(abs(low - centre), abs(high - centre)) / full_scale


def is_extreme(stem: npt.NDArray[Any]) -> bool:
    """Whether the energies of a non-silent stem overflow or underflow float64."""
    if stem.dtype.kind != "f" or stem.dtype.itemsize < 8:  # float32 squared fits float64
        return False
    largest = peak(stem)
    return largest > LARGEST or 0.0 < largest < SMALLEST


def _refuse_non_finite(stem: npt.NDArray[Any], name: str, role: str) -> None:
    for start in range(0, stem.shape[1], _CHUNK):
        finite = np.isfinite(stem[:, start : start + _CHUNK])
        if not finite.all():
            sample, channel = np.argwhere(~finite.T)[0]
            value = stem[channel, start + sample]
            raise AudioError(
                f"The {role} {name!r} holds {value} at channel {channel}, sample {start + sample}."
            )
