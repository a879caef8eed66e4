"""Text tables with aligned columns, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["aligned"]

_SIGNS = str.maketrans("", "", "-+.,%")


def aligned(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> str:
    """Align columns, two spaces apart, with an optional header and a line below it.

    Examples
    --------
    >>> print(aligned(["model", "SDR"], [["irm", "9.03"], ["silence", "-0.10"]]), end="")
    model      SDR
    -------  -----
    irm       9.03
    silence  -0.10
    """
    rows_with_header = [*([list(header)] if header else []), *[list(row) for row in rows]]
    if not rows_with_header:
        return ""
    columns = range(len(rows_with_header[0]))
    widths = [max(len(row[i]) for row in rows_with_header) for i in columns]
    numeric = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in rows_with_header
    ]
    if header:
        lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def _is_number(text: str) -> bool:
    """Whether a cell is right-aligned: ``-6.37``, ``14x``, ``>1000x``, ``- [1]`` or empty."""
    cleaned = text.split(" ")[0].lstrip(">").removesuffix("x")
    return not cleaned.translate(_SIGNS) or cleaned.translate(_SIGNS).isdecimal()
