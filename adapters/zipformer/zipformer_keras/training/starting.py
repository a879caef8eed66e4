"""Weights to begin a training with: those of the same network, of its offline variant, or of a smaller one.

In a larger network, channels that are new are computed from the first step on, but nothing that was there
reads them yet; layers that are new add nothing yet. Both learn, since what they give has a gradient.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..configuration import BYPASS_FLOOR
from ..weights import HEADS

Array = npt.NDArray[np.float32]

_LAYER = re.compile(r"(?P<place>stack_\d+/time_)(?P<index>\d+)/(?P<part>.+)")
_KERNELS = {"embed/kernel": (3, 2), "unembed/kernel": (2, 3)}
"""Of a level's kernel: the axis of the channels that it gives, and of those that it reads."""
_BIASES = ("embed/bias", "unembed/bias")


def warm_start(given: Mapping[str, Array], drawn: Mapping[str, Array]) -> dict[str, Array]:
    """Weights with which a network does what another one does.

    Parameters
    ----------
    given
        Of the other network: the same cells, width and number of levels and stacks, at most as many
        channels and layers.
    drawn
        Of the network that is to be trained, as they were drawn.

    Returns
    -------
    dict
        What is given, placed within what was drawn. Arrays of another kind of network are passed on as
        they are, and are not completed, so that assigning them names what does not fit.

    Notes
    -----
    - More channels: exactly the same masks.
    - More layers: a new one has the norm of the last layer that was given and the smallest bypass; it adds a fifth of
      the difference between its normalized input and its input, and nothing else.
    - A live network starts as the offline one that is cut into chunks: its convolution has a centred kernel within its
      chunk, as the offline one, and a causal one across chunks, which is zero.
    - Heads are as they were drawn.

    Examples
    --------
    >>> import numpy as np
    >>> small = {"unembed/bias_1": np.ones(2, np.float32)}
    >>> warm_start(small, {"unembed/bias_1": np.zeros(3, np.float32)})["unembed/bias_1"]
    array([1., 1., 0.], dtype=float32)
    """
    last: dict[str, int] = {}
    for layer in filter(None, map(_LAYER.fullmatch, given)):
        last[layer["place"]] = max(last.get(layer["place"], 0), int(layer["index"]))
    started = dict(given)
    for name, array in drawn.items():
        found = _LAYER.fullmatch(name)
        if name in given:
            started[name] = _level(name, given, drawn)
        elif name.endswith("/causal"):
            started[name] = np.zeros_like(array)
        elif name.startswith(HEADS):
            started[name] = array
        elif found and int(found["index"]) > last.get(found["place"], int(found["index"])):
            before = given.get(f"{found['place']}{last[found['place']]}/{found['part']}")
            started[name] = _layer(found["part"], array, before)
    return started


def _layer(part: str, drawn: Array, before: Array | None) -> Array:
    """An array of a layer that is new; `before` is that of the last layer that was given."""
    if part.startswith("norm/") and before is not None and before.shape == drawn.shape:
        return before.copy()
    if part == "bypass/scale":
        return np.full_like(drawn, BYPASS_FLOOR)
    return np.zeros_like(drawn) if "/out/" in part else drawn


def _level(name: str, given: Mapping[str, Array], drawn: Mapping[str, Array]) -> Array:
    """An array of the embedding with more channels; any other one as it is given."""
    small, large = given[name], drawn[name]
    kind = name.rpartition("_")[0]
    if kind in _KERNELS:
        return _extended(small, large, *_KERNELS[kind])
    if kind in _BIASES:
        return _extended(small, large, 0, None)
    if name not in ("embed/join/kernel", "unembed/part/kernel", "unembed/part/bias"):
        return small
    # The channels of the last level lie next to each other, cell by cell.
    small, large = (
        array.reshape(_split(name, array, len(weights[_last_bias(weights)])))
        for array, weights in ((small, given), (large, drawn))
    )
    axes = (2, 1) if name.startswith("embed") else (small.ndim - 1, None)
    extended = _extended(small, large, *axes)
    return extended.reshape(drawn[name].shape) if extended is not small else given[name]


def _last_bias(weights: Mapping[str, Array]) -> str:
    levels = (name for name in weights if name.startswith("embed/bias_"))
    return max(levels, key=lambda name: int(name.rpartition("_")[2]))


def _split(name: str, array: Array, channels: int) -> tuple[int, ...]:
    if name.startswith("embed"):
        return (-1, channels, array.shape[1])
    return (*array.shape[:-1], -1, channels)


def _extended(small: Array, large: Array, gives: int, reads: int | None) -> Array:
    """`large` with the numbers of `small` first; what was there reads nothing that is new."""
    sizes = list(zip(small.shape, large.shape, strict=False))
    grown = {axis for axis, (before, after) in enumerate(sizes) if before < after}
    shrunk = any(before > after for before, after in sizes)
    if small.ndim != large.ndim or shrunk or not grown <= {gives, reads}:
        return small
    result = large.copy()
    if reads is not None:
        old, new = [slice(None)] * large.ndim, slice(small.shape[reads], None)
        old[gives], old[reads] = slice(small.shape[gives]), new
        result[tuple(old)] = 0.0
    result[tuple(slice(size) for size in small.shape)] = small
    return result
