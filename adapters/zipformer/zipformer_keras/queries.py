"""The voice of an example: what tells a singer, and how it changes a network's weights.

Two small linear maps of a singer's signature say how strongly the encoder reads and gives each channel, and each
level of the way back too, and they change the kernel that gives the masks. None of this changes within a song, so it is
multiplied into the weights once, and what runs the network needs not know of it. The last map is zero at
the start, so the network starts as it was without an example.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .band_spectra import BANDS, band_spectra
from .configuration import CHANNELS, KERNEL, SLOPE, Configuration, bin_count
from .spectrum import Numbers, Samples, analyse, cells

SIGNATURE = 2 * BANDS
"""Numbers of a signature."""
HIDDEN = 64
"""Numbers between the two maps."""
LOUD_DB = -25.0
"""Frames so far below the loudest one do not count."""
SCALE_DB = 20.0
STRENGTHS = {"shift": 32.0, "kernel": 1.0}
"""Of the parts of a change, else `STRENGTH`: the lengths of what they change differ."""
STRENGTH = 4.0
SILENT = 1e-4
"""Peak of full scale under which an example is silent."""
SHORTEST_S = 0.5
CHUNK = 256
NAMES = ("query/mean", "query/deviation", "query/first", "query/bias", "query/second")


class QueryError(ValueError):
    """An example that says nothing of a singer."""


def signature(samples: Samples, configuration: Configuration, rate: int = 44_100) -> Numbers:
    """What a singer's spectra are like: mean and deviation over loud frames, float32 (`SIGNATURE`,).

    Parameters
    ----------
    samples
        float32 (2, samples): the singer alone, at 44.1 kHz.
    configuration
        Of the network.
    rate
        Samples of a second.

    Raises
    ------
    QueryError
        The example is silent or too short.
    """
    c = configuration
    if samples.shape[1] < SHORTEST_S * rate:
        raise QueryError(f"It lasts {samples.shape[1] / rate:.2f} s; {SHORTEST_S} s are needed.")
    if np.abs(samples).max() < SILENT:
        raise QueryError("It is silent.")
    # As loud as each other, so that the floor of `band_spectra` is the same below all.
    samples = samples * np.float32(0.5 / np.abs(samples).max())
    levels, spectra, length = [], [], CHUNK * c.step
    for start in range(0, samples.shape[1] - c.frame + 1, length):
        piece = samples[:, start : start + length + c.frame - c.step]
        seen = cells(analyse(piece, c.frame, c.step, bin_count(c.groups)), c.groups)
        levels.append(10.0 * np.log10(seen[:, :2].sum(axis=(1, 2)) + 1e-12))
        spectra.append(band_spectra(seen))
    level, spectrum = np.concatenate(levels), np.concatenate(spectra)
    loud = spectrum[level > level.max() + LOUD_DB]
    parts = (loud.mean(axis=0), loud.std(axis=0))
    found: Numbers = (np.concatenate(parts) / SCALE_DB).astype(np.float32)
    return found


def change_parts(configuration: Configuration) -> dict[str, slice]:
    """Where the numbers of a change lie.

    Returns
    -------
    dict
        ``scale`` and ``shift`` of the vectors that enter the encoder, ``read`` of those that leave it, ``level_1``
        and so on of what each level of the way back reads, and ``kernel``, added to the kernel that gives
        the masks. Scales are of 1 + the number.
    """
    c = configuration
    sizes = {"scale": c.width, "shift": c.width, "read": c.width}
    sizes |= {f"level_{index}": size for index, size in enumerate(c.embed) if index}
    sizes["kernel"] = KERNEL * KERNEL * len(c.stems) * CHANNELS * c.embed[0]
    ends = np.cumsum(list(sizes.values())).tolist()
    return {
        name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)
    }


def folded(
    weights: Mapping[str, Numbers], query: Numbers | None, configuration: Configuration
) -> dict[str, Numbers]:
    """Weights of a network without a query that does what this one does with it.

    Parameters
    ----------
    weights
        Of a network with a query.
    query
        A singer's `signature`; None: without an example.
    configuration
        Of the network.
    """
    plain = {name: array for name, array in weights.items() if name not in NAMES}
    if query is None:
        return plain
    mean, deviation, first, bias, second = (weights[name] for name in NAMES)
    hidden = (query - mean) / deviation @ first + bias
    numbers = np.maximum(hidden, SLOPE * hidden) @ second
    change = {
        name: numbers[part] * STRENGTHS.get(name, STRENGTH)
        for name, part in change_parts(configuration).items()
    }
    join, last = "embed/join", "unembed/kernel_0"
    changed = {
        f"{join}/kernel": plain[f"{join}/kernel"] * (1.0 + change["scale"]),
        f"{join}/bias": plain[f"{join}/bias"] * (1.0 + change["scale"]) + change["shift"],
        "unembed/part/kernel": plain["unembed/part/kernel"] * (1.0 + change["read"])[:, None],
        last: plain[last] + change["kernel"].reshape(plain[last].shape),
    }
    for index in range(1, len(configuration.embed)):
        name = f"unembed/kernel_{index}"
        changed[name] = plain[name] * (1.0 + change[f"level_{index}"])
    return plain | {name: array.astype(np.float32) for name, array in changed.items()}
