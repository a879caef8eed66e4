"""Checks of values that come from a recipe's file or from the command line."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields
from typing import Any

NAMES = {int: "a whole number", float: "a finite number", str: "a text"}


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
