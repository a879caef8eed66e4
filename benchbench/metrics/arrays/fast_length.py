"""Lengths for which the fast Fourier transform of real signals is fast."""

from __future__ import annotations

from functools import cache

__all__ = ["fast_length"]


@cache
def fast_length(least: int) -> int:
    """The smallest number that is at least `least` and has no prime factor above 5.

    Examples
    --------
    >>> fast_length(1025), fast_length(2048)
    (1080, 2048)
    """
    best = 1 << max(0, least - 1).bit_length()
    power5 = 1
    while power5 < best:
        power35 = power5
        while power35 < best:
            rest = -(-least // power35)
            candidate = power35 << max(0, rest - 1).bit_length()
            best = min(best, candidate)
            power35 *= 3
        power5 *= 5
    return best
