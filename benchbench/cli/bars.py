"""Progress bars that fit a terminal of 80 characters."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

__all__ = ["megabytes", "progress_bars"]


class AmountColumn(ProgressColumn):
    """``3/12`` separations; ``12/73 MB  4.1 MB/s`` for a task with the field ``bytes``."""

    def render(self, task: Task) -> Text:
        """The amount of one task; empty if its total is unknown."""
        if task.fields.get("bytes"):
            rate = "" if task.speed is None else f"  {task.speed / 1e6:.1f} MB/s"
            return Text(megabytes(task.completed, task.total) + rate)
        if task.total is None:
            return Text("")
        width = len(f"{task.total:.0f}")
        return Text(f"{task.completed:{width}.0f}/{task.total:.0f}")


def megabytes(done: float, total: float | None) -> str:
    """``12/73 MB``, or ``12 MB`` if the total is unknown.

    >>> megabytes(12_345_678, 73e6)
    '12/73 MB'
    >>> megabytes(300_000, 5.8e6)
    '0.3/5.8 MB'
    """
    digits = 0 if max(done, total or 0) >= 1e7 else 1
    whole = "" if total is None else f"/{total / 1e6:.{digits}f}"
    return f"{done / 1e6:.{digits}f}{whole} MB"


def progress_bars(console: Console, live: bool) -> Progress:
    """Bars that are removed at the end; where space is short, the description is cut first."""
    description = Column(ratio=2, no_wrap=True, overflow="ellipsis")
    return Progress(
        TextColumn("{task.description}", table_column=description),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=10)),
        AmountColumn(table_column=Column(min_width=5, justify="right", no_wrap=True)),
        TimeElapsedColumn(table_column=Column(min_width=7, no_wrap=True)),
        console=console,
        transient=True,
        expand=True,
        disable=not live,
    )
