"""Number formatting for readers."""

from __future__ import annotations

from collections.abc import Sequence

from benchbench.stats.wording import count, speed

__all__ = [
    "after_comma",
    "clock",
    "count",
    "decibels",
    "has_unit",
    "in_unit",
    "listed",
    "megabytes",
    "number_of_parameters",
    "pace",
    "percent",
    "probability",
    "signed",
]

MINUS = "−"
NONE = "–"


def decibels(value: float | None, digits: int = 2) -> str:
    """A number with a typographic minus sign; an en dash for a missing value."""
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def has_unit(unit: str) -> bool:
    """Whether a metric has a unit; "1" stands for plain numbers."""
    return unit != "1"


def in_unit(unit: str) -> str:
    """The unit in a sentence.

    Examples
    --------
    >>> in_unit("dB"), in_unit("1")
    (' in dB', '')
    """
    return f" in {unit}" if has_unit(unit) else ""


def after_comma(unit: str) -> str:
    """The unit after a metric's name in a heading.

    Examples
    --------
    >>> after_comma("dB"), after_comma("1")
    (', dB', '')
    """
    return f", {unit}" if has_unit(unit) else ""


def signed(value: float | None, digits: int = 2) -> str:
    """A difference, always with its sign."""
    text = decibels(value, digits)
    plain = text == NONE or text.startswith(MINUS) or float(text) == 0
    return text if plain else f"+{text}"


def percent(share: float | None) -> str:
    """A share in percent; tiny non-zero shares are marked as such."""
    if share is None:
        return NONE
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share * 100:.1f}%" if share < 0.1 else f"{share * 100:.0f}%"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def megabytes(size: int | None) -> str:
    """Memory in the unit that needs at most three digits."""
    if size is None:
        return NONE
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def number_of_parameters(size: int | None) -> str:
    """Trained parameters in millions or thousands."""
    if size is None:
        return NONE
    if size >= 1e6:
        return f"{size / 1e6:.1f} M"
    return f"{size / 1e3:.0f} k" if size >= 1e3 else str(size)


def probability(value: float) -> str:
    """A p value; very small ones as an upper bound."""
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def pace(factor: float | None) -> str:
    """A real-time factor as speed: ``14x`` is 14 times faster than real time."""
    return NONE if factor is None else speed(factor)
