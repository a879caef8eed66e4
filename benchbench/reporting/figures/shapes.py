"""One marker shape per model, so that figures do not rely on colour alone."""

from __future__ import annotations

from typing import Final

__all__ = ["SHAPES", "shape"]

SHAPES: Final = (
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",  # disc
    "M-4-4h8v8h-8z",  # square
    "M0-5.2L5 4H-5z",  # triangle
    "M0-5.5L5.5 0L0 5.5L-5.5 0z",  # diamond
    "M0 5.2L-5-4H5z",  # triangle, pointing down
    "M-1.6-5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4z",  # plus
    "M0-5.4l1.5 3.3 3.7.4-2.8 2.5.8 3.6-3.2-1.9-3.2 1.9.8-3.6-2.8-2.5 3.7-.4z",  # star
    "M-5-2.9L0-5.6L5-2.9V2.9L0 5.6L-5 2.9z",  # hexagon
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0zm2.6 0a1.9 1.9 0 1 0 3.8 0a1.9 1.9 0 1 0-3.8 0z",
)
"""SVG paths centred at the origin, within 12 by 12 units."""


def shape(index: int) -> str:
    """The SVG path of a model's shape.

    With eight colours and nine shapes, combinations repeat only after 72 models.
    """
    return SHAPES[index % len(SHAPES)]
