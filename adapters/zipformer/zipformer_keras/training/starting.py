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
_LAST = {"embed/join/kernel": 0, "unembed/part/kernel": 1, "unembed/part/bias": 0}
"""The axis along which an array holds all cells and channels of the last level."""


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
        What is given, placed within what was drawn. Arrays of another kind of network, or that do not fit together, are
        passed on as they are, and are not completed, so that assigning them names what does not fit.

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
    if not _coherent(given):
        return dict(given)
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


def _coherent(given: Mapping[str, Array]) -> bool:
    """Whether every kernel of a level gives as many channels as its bias has numbers."""
    for name, kernel in given.items():
        kind, _, index = name.rpartition("_")
        if kind not in _KERNELS:
            continue
        bias = given.get(f"{kind.replace('kernel', 'bias')}_{index}")
        if bias is None or kernel.ndim != 4 or bias.shape != (kernel.shape[_KERNELS[kind][0]],):
            return False
    return True


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
    if name in _LAST and small.ndim == large.ndim:
        return _last_level(name, small, large, _channels(given), _channels(drawn))
    return small


def _last_level(name: str, small: Array, large: Array, fewer: int, more: int) -> Array:
    """An array whose channels of the last level lie next to each other, cell by cell."""
    axis = _LAST[name]
    if not fewer or not more or small.shape[axis] % fewer or large.shape[axis] % more:
        return small
    before, after = (
        array.reshape(*array.shape[:axis], -1, channels, *array.shape[axis + 1 :])
        for array, channels in ((small, fewer), (large, more))
    )
    gives, reads = (2, 1) if name == "embed/join/kernel" else (axis + 1, None)
    extended = _extended(before, after, gives, reads)
    return small if extended is before else extended.reshape(large.shape)


def _channels(weights: Mapping[str, Array]) -> int:
    """Of the last level of the embedding; 0: there is none."""
    levels = [name for name in weights if re.fullmatch(r"embed/bias_\d+", name)]
    last = max(levels, key=lambda name: int(name.rpartition("_")[2]), default=None)
    return weights[last].size if last else 0


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
