"""Formatting of counts and speeds that all outputs share."""

from __future__ import annotations

from typing import Final

__all__ = ["count", "speed"]

_NO_WORK: Final = 1000.0
"""Speeds above this are printed as a lower bound, since nothing was computed."""


def count(number: int, noun: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> count(1, "track"), count(3, "track"), count(1200, "track")
    ('1 track', '3 tracks', '1,200 tracks')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def speed(real_time_factor: float) -> str:
    """How many times faster than real time, with two digits.

    Parameters
    ----------
    real_time_factor
        Seconds of work for one second of audio.

    Examples
    --------
    >>> speed(0.072), speed(1.9), speed(0.0001)
    ('14x', '0.53x', '>1000x')
    """
    if real_time_factor * _NO_WORK < 1:
        return f">{_NO_WORK:.0f}x"
    times = 1 / real_time_factor
    return f"{times:.0f}x" if times >= 10 else f"{times:.2g}x"
