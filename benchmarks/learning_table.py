"""The table of `benchmarks.learning`: paired differences from training from scratch, and verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from statistics import mean, stdev

BEGIN, END = "<!-- table: python -m benchmarks.learning -->", "<!-- end of table -->"
LEAST_SEEDS = 3
"""With fewer seeds, the standard error is unreliable and no verdict is given."""
TOLD_APART = 2.0
"""Minimum distance of a mean difference from 0, in standard errors."""


@dataclass(frozen=True)
class Cell:
    """One run of one row.

    Parameters
    ----------
    row
        Name of the way of training.
    songs
        Labelled songs.
    seed
        Random seed of the run.
    steps, labelled_steps
        Number of gradient steps in total, and of those with stems.
    cpu_s
        Processor seconds of training, all steps.
    gain
        SI-SDR gain over the mixture in dB, mean over the four stems of the test songs.
    scratch_steps, scratch_seconds
        Gain of the run from scratch with the same songs and seed: after equally many labelled steps,
        and after equally many processor seconds. None: that run is missing.
    """

    row: str
    songs: int
    seed: int
    steps: int
    labelled_steps: int
    cpu_s: float
    gain: float
    scratch_steps: float | None = None
    scratch_seconds: float | None = None

    def described(self) -> dict[str, object]:
        """The cell as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences in dB, its standard error, and the verdict.

    Parameters
    ----------
    value, error
        In dB; the error is None for a single pair.
    pairs
        Number of pairs.
    verdict
        ``gain``, ``none``, ``loss``, or ``too few seeds``.
    """

    value: float
    error: float | None
    pairs: int
    verdict: str


def difference(pairs: Sequence[tuple[float, float]]) -> Difference | None:
    """Compare (row, scratch) pairs of the same seeds.

    A gain or a loss is a mean difference of more than `TOLD_APART` standard errors; with fewer than
    `LEAST_SEEDS` pairs there is no verdict.

    >>> difference([(7.0, 6.5), (7.2, 6.6), (6.9, 6.5)]).verdict
    'gain'
    """
    if not pairs:
        return None
    values = [row - scratch for row, scratch in pairs]
    value = mean(values)
    if len(values) < 2:
        return Difference(value, None, 1, "too few seeds")
    error = stdev(values) / math.sqrt(len(values))
    if len(values) < LEAST_SEEDS:
        return Difference(value, error, len(values), "too few seeds")
    far = abs(value) > TOLD_APART * error
    return Difference(
        value, error, len(values), ("gain" if value > 0 else "loss") if far else "none"
    )


def markdown(cells: Iterable[Cell], rows: Sequence[str], counts: Sequence[int]) -> str:
    """The table; it also lists rows that were not run.

    Parameters
    ----------
    cells
        All runs.
    rows, counts
        Names of the rows and numbers of labelled songs that the table should have.
    """
    lines = [
        "| labelled songs | row | seeds | steps (labelled) | CPU s | gain, dB | at equal labelled "
        "steps | verdict | at equal CPU seconds | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ordered = sorted(cells, key=_place)
    grouped: Mapping[tuple[int, str], list[Cell]] = {
        place: list(several) for place, several in groupby(ordered, key=_place)
    }
    lines += [_line(count, row, grouped.get((count, row), [])) for count in counts for row in rows]
    return "\n".join(lines) + "\n"


def _place(cell: Cell) -> tuple[int, str]:
    return cell.songs, cell.row


def _line(count: int, row: str, cells: Sequence[Cell]) -> str:
    if not cells:
        return f"| {count} | {row} | 0 | not run | | | | | | |"
    gains = [cell.gain for cell in cells]
    spread = f" ± {stdev(gains) / math.sqrt(len(gains)):.2f}" if len(gains) > 1 else ""
    steps = sorted({f"{cell.steps} ({cell.labelled_steps})" for cell in cells})
    seconds = mean(cell.cpu_s for cell in cells)
    by_steps = [(c.gain, c.scratch_steps) for c in cells if c.scratch_steps is not None]
    by_seconds = [(c.gain, c.scratch_seconds) for c in cells if c.scratch_seconds is not None]
    return (
        f"| {count} | {row} | {len(cells)} | {', '.join(steps)} | {seconds:.0f} | "
        f"{mean(gains):.2f}{spread} | {_told(difference(by_steps))} | "
        f"{_told(difference(by_seconds))} |"
    )


def _told(found: Difference | None) -> str:
    if found is None:
        return " | "
    spread = f" ± {found.error:.2f}" if found.error is not None else ""
    return f"{found.value:+.2f}{spread} | {found.verdict}"


def write_page(page: Path, table: str) -> None:
    """Write the table between its markers in a page.

    Raises
    ------
    ValueError
        When the page has no such markers.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} and {END}, between which the table is put.")
    page.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")
