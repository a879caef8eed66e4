"""How the excerpts of a training run are varied, as part of its recipe; and the check of a recipe's types."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from typing import Any

NAMES = {int: "a whole number", float: "a finite number", str: "a text"}
HIGHEST = {"gain_db": 60.0, "level_db": 60.0, "speed": 0.9}
"""Largest values of what is not a share of 0 to 1."""


def check_types(values: Any) -> None:
    """Check that every field of a dataclass with a default has that default's type.

    A whole number is accepted where a number is asked for; NaN and infinity are not.

    Raises
    ------
    ValueError
        Names the field, what it must be and what it is.
    """
    for entry in fields(values):
        if entry.default is MISSING:
            continue
        wanted, value = type(entry.default), getattr(values, entry.name)
        if wanted is float and type(value) is int:
            continue
        if type(value) is not wanted or (wanted is float and not math.isfinite(value)):
            raise ValueError(f"{entry.name} must be {NAMES[wanted]}, not {value!r}.")


@dataclass(frozen=True, slots=True)
class Variation:
    """How excerpts are varied.

    Parameters
    ----------
    remix
        Share of the excerpts whose stems come from different songs and places.
    gain_db
        Each stem is made louder or softer by up to this much.
    level_db
        The mixture is made softer by up to this much.
    swap, invert
        Share of the stems whose channels change places; whose sign changes.
    speed
        A stem is played faster or slower by up to this fraction (pitch and tempo together).
        Costs a resampling, and only a share of the stems gets it.
    speed_share
        That share.
    tone
        Share of the stems whose spectrum is tilted and bent, and which may lose what lies above a
        random frequency: so that no stem is known by its bandwidth.
    thin
        Share of the vocals that lose some of what lies below a random frequency. Loud singing has
        little energy at its fundamental, and mixing takes more of it away; speech has most of it
        there.
    silence
        Share of the stems that are left out.
    double
        Share of the stems that are two songs' at once.
    drive
        Share of the stems that are driven into saturation, as recordings often are.
    backing
        Share of the excerpts over an accompaniment whose stems are not known, where there are such
        songs.
    deep
        Share of the basses that are played slower, by up to half, and so up to an octave lower.
    thick
        Share of the vocals that are doubled, out of tune and late (`effects.thickened`).
    room, wide
        Share of the stems, without the bass, in a room; of another width.
    sparse
        Share of the excerpts without drums, without bass, or without both.
    duck
        Share of the excerpts in which bass and other give way to the drums.
    master
        Share of the mixtures that are compressed and limited; the stems get the same gain.
    """

    remix: float = 0.7
    gain_db: float = 6.0
    level_db: float = 12.0
    swap: float = 0.5
    invert: float = 0.5
    speed: float = 0.12
    speed_share: float = 0.0
    tone: float = 0.5
    thin: float = 0.0
    silence: float = 0.05
    double: float = 0.0
    drive: float = 0.0
    backing: float = 0.4
    deep: float = 0.0
    thick: float = 0.0
    room: float = 0.0
    wide: float = 0.0
    sparse: float = 0.0
    duck: float = 0.0
    master: float = 0.0

    def __post_init__(self) -> None:
        check_types(self)
        for entry in fields(self):
            value = getattr(self, entry.name)
            highest = HIGHEST.get(entry.name, 1.0)
            if not 0.0 <= value <= highest:
                raise ValueError(f"{entry.name} must lie between 0 and {highest:g}, not {value}.")


PLAIN = Variation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, silence=0.0, backing=0.0)
