"""The variants: what is trained, shipped and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from .configuration import Cells, Configuration

_COARSE = (Cells(768), Cells(96, bins=8))
"""Up to 16.5 kHz; above 8.3 kHz, eight bins (86 Hz) are one cell."""

_COARSE_SHORT = (Cells(384), Cells(96, bins=4))
"""The same range with frames half as long."""

TINY = Configuration(
    width=144,
    heads=4,
    query_width=16,
    feedforward=256,
    stacks=((1, 1), (2, 1), (4, 2), (2, 1)),
    groups=_COARSE,
    embed=(16, 24, 32, 32),
)

DUET = replace(TINY, stems=("voice-1", "voice-2", "other"), query=True)
"""Two singers at once, and whatever else plays."""

BASE = replace(
    TINY,
    stacks=((1, 2), (2, 2), (4, 4), (2, 2)),
    embed=(32, 48, 64, 64),
)
"""`tiny` with twice the channels and twice the layers: it can start as `tiny` (`training.starting`)."""

VARIANTS: Mapping[str, Configuration] = MappingProxyType(
    {
        "tiny": TINY,
        "tiny-live": replace(TINY, chunk=8),
        "duet": DUET,
        "base": BASE,
        "base-live": replace(BASE, chunk=8),
        "base-lowlatency": replace(
            BASE,
            groups=_COARSE_SHORT,
            frame=2048,
            step=512,
            chunk=4,
            left=16,
        ),
    }
)
"""By name. A live variant's chunk of 8 frames and its frame make a latency of 255 ms."""


def latency_samples(configuration: Configuration) -> int:
    """How far a live variant looks ahead, in samples: a chunk, and the rest of a frame.

    Raises
    ------
    ValueError
        The variant is not for live mode.
    """
    if configuration.chunk is None:
        raise ValueError("Only live variants have a latency; this one looks at whole chunks.")
    return configuration.chunk * configuration.step + configuration.frame - configuration.step
