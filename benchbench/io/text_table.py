"""Tables as text with aligned columns, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["aligned"]

_SIGNS = str.maketrans("", "", "-+.,%")


def aligned(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, under a header with a line below it if there is one.

    Examples
    --------
    >>> print(aligned(["model", "SDR"], [["irm", "9.03"], ["silence", "-0.10"]]), end="")
    model      SDR
    -------  -----
    irm       9.03
    silence  -0.10
    """
    every = [*([list(header)] if header else []), *[list(row) for row in rows]]
    if not every:
        return ""
    columns = range(len(every[0]))
    widths = [max(len(row[i]) for row in every) for i in columns]
    numeric = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in every
    ]
    if header:
        lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def _is_number(text: str) -> bool:
    """Whether a cell is aligned to the right: ``-6.37``, ``14x``, ``>1000x``, ``- [1]`` or nothing."""
    cleaned = text.strip().split(" ")[0].lstrip(">").removesuffix("x")
    return not cleaned.translate(_SIGNS) or cleaned.translate(_SIGNS).isdecimal()
